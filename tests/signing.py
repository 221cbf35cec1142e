"""A certificate authority of one's own, and pictures and clips signed by it with Content Credentials."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class Signer:
    """`root` is what goes into a trust list."""

    root: str
    chain: bytes
    key: bytes

    def sign(self, content: bytes, mime: str, *source_types: str, ingredient: bytes | None = None) -> bytes:
        """An action for each source type; the first one is how the picture began."""
        names = ("c2pa.created", *["c2pa.edited"] * 9)
        actions = [
            {"action": name, "digitalSourceType": IPTC + told} for name, told in zip(names, source_types, strict=False)
        ]
        manifest = {
            "claim_generator_info": [{"name": "Painter", "version": "1"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        }
        info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=self.chain, private_key=self.key, ta_url=None)
        signed = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest) as builder:
            if ingredient is not None:
                described = {"title": "a part", "relationship": "componentOf"}
                builder.add_ingredient(described, mime, io.BytesIO(ingredient))
            builder.sign(signer, mime, io.BytesIO(content), signed)
        return signed.getvalue()


def make_signer(name: str = "Honest Paper") -> Signer:
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(name + " Root")
    root = _certificate(issuer, issuer, root_key, root_key, ("key_cert_sign", "crl_sign"))
    leaf = _certificate(_name(name), issuer, leaf_key, root_key, ("digital_signature",))
    plain = serialization.NoEncryption()
    key = leaf_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return Signer(_pem(root).decode(), _pem(leaf) + _pem(root), key)


def _name(organisation: str) -> x509.Name:
    names = ((NameOID.COUNTRY_NAME, "CH"), (NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, "Signer"))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in names])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey,
    usages: tuple[str, ...],
) -> x509.Certificate:  # fmt: skip
    authority = subject == issuer
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return made.sign(by, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
