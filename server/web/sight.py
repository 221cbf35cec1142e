"""What may be seen of media: what the server found at an address everybody, what a person brought that person.

Moderators see all. Of the rest not even that it exists is told.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from server.store import checks
from server.web.auth import identify


def may_see(session: Session, media_id: str, public: bool) -> bool:
    if public:
        return True
    person = identify()
    return person is not None and (person.may("moderate") or checks.asked_for(session, media_id, person.user_id))
