"""what media look like, to find near duplicates"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media_hashes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("media_id", sa.String(length=32), nullable=False),
        sa.Column("t", sa.Double(), nullable=False),
        sa.Column("bits", sa.LargeBinary(length=32), nullable=False),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_media_hashes_media_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_hashes")),
    )
    with op.batch_alter_table("media_hashes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_hashes_media_id"), ["media_id"], unique=False)
    op.create_table(
        "media_hash_parts",
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("part", "hash_id", name=op.f("pk_media_hash_parts")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("media_hash_parts")
    with op.batch_alter_table("media_hashes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_hashes_media_id"))
    op.drop_table("media_hashes")
