"""Every setting once: typed, documented, read from UNMASK_* variables. The only reader of os.environ."""

from __future__ import annotations

import difflib
import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

KiB, MiB = 1024, 1024 * 1024
FaceFinder = Literal["centerface", "hog", "cnn"]
_LIMITS_SCHEMES = ("memory://", "redis://", "rediss://", "redis+unix://")


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the message names it."""


class Settings(BaseSettings):
    """Build it with keywords in tests; with `Settings.from_env()` in a process."""

    model_config = SettingsConfigDict(env_prefix="UNMASK_", extra="ignore", frozen=True, env_ignore_empty=True)

    # where things are
    data_dir: Path = Field(Path("data"), description="Folder for the database, secrets, evidence and spooled media.")
    database_url: str = Field("", description="SQLAlchemy address of the database; empty = SQLite in the data folder.")
    evidence_url: str = Field(
        "", description="fsspec address of the evidence store; empty = a folder in the data folder."
    )
    calibration: Path | None = Field(None, description="Calibration file to use instead of the shipped one.")
    trust_list: Path | None = Field(
        None, description="Certificates (PEM) whose signers of Content Credentials are trusted; unset = none is."
    )

    # the web process
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    hosts: str = Field("localhost,127.0.0.1,[::1]", description="Host names the server answers to, without port.")
    public_url: str = Field("", description="Address people open, for links; empty = http://HOST:PORT.")
    threads: int = Field(32, ge=2, le=256, description="Threads of the web process.")
    streams: int = Field(16, ge=1, le=128, description="Live views (event streams) open at once.")
    uploads: int = Field(6, ge=1, le=64, description="Uploads received at once.")
    public_lookup: bool = Field(False, description="Let anybody look verdicts up without a token.")
    proxies: int = Field(
        0, ge=0, le=5, description="Trusted reverse proxies in front (X-Forwarded-For entries to believe)."
    )

    # who may come how often
    rate_lookups: str = Field("6000/minute", description="Look-ups a token or address may make.")
    rate_checks: str = Field("60/minute", description="Checks a token or address may ask for.")
    rate_logins: str = Field("10/minute", description="Log-in attempts an address may make.")
    limits_url: str = Field("memory://", description="Where rate limits are counted (memory:// or redis://...).")
    session_hours: int = Field(12, ge=1, le=24 * 90, description="Hours until a log-in ends.")

    # what is accepted
    max_upload_bytes: int = Field(100 * MiB, ge=KiB, description="Largest upload and largest download, in bytes.")
    max_pixels: int = Field(40_000_000, ge=10_000, description="Most pixels of a picture or video frame.")
    max_seconds: int = Field(3600, ge=1, description="Longest video, in seconds.")
    queue_limit: int = Field(2000, ge=1, description="Checks that may wait before new ones are refused.")

    # fetching
    fetch_allow: str = Field("", description="Private networks that may be fetched from, comma separated (CIDR).")
    fetch_proxy_url: str = Field("", description="`unmask proxy` to fetch through, as http://:TOKEN@HOST:PORT.")
    fetch_seconds: int = Field(60, ge=2, le=600, description="Seconds a fetch may take.")
    decode_seconds: int = Field(120, ge=2, le=1800, description="Seconds decoding may take.")
    fetch_page_bytes: int = Field(8 * MiB, ge=64 * KiB, description="Largest web page read while looking for media.")
    fetch_requests: int = Field(400, ge=1, description="Requests one fetch may make.")
    sandbox: Literal["auto", "require", "best"] = Field(
        "auto",
        description="Where the kernel cannot hold a child: require = refuse, best = warn, auto = best on loopback.",
    )

    # the worker
    concurrency: int = Field(2, ge=1, le=64, description="Checks one worker process runs at once.")
    onnx_threads: int = Field(1, ge=1, le=64, description="ONNX Runtime threads a model uses.")
    face_finder: FaceFinder = Field(
        "centerface", description="Who finds faces: centerface, or face_recognition's hog or cnn (cnn: with CUDA only)."
    )
    lease_seconds: float = Field(
        15.0, ge=0.5, le=3600, description="Seconds after which a silent worker loses its check."
    )
    max_attempts: int = Field(3, ge=1, le=20, description="Attempts alone in a worker before a check is given up.")

    # keeping
    keep_media: Literal["none", "cases"] = Field(
        "cases", description="Keep media bytes: none, or while a case is open."
    )
    verdict_days: int = Field(
        30, ge=1, le=36_500, description="Days until a verdict is stale and is checked anew when asked for."
    )
    url_hours: float = Field(
        1.0, ge=0.0, le=24 * 366, description="Hours an address answers before its content is revalidated."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="How log lines are written: text, json, or text where a person is looking (auto)."
    )

    @classmethod
    def from_env(cls) -> Settings:
        cls._refuse_unknown()
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = "UNMASK_" + str(first["loc"][0]).upper() if first["loc"] else "UNMASK_*"
            got = "" if name.endswith("_URL") else f" (got {first.get('input')!r})"  # an address may hold a password
            raise BadSetting(f"{name}: {first['msg'].removeprefix('Value error, ')}{got}") from None

    @classmethod
    def _refuse_unknown(cls) -> None:
        """A setting with a slip in its name would otherwise be left at its default in silence."""
        known = {f"UNMASK_{name.upper()}" for name in cls.model_fields}
        for name in os.environ:
            if name.upper().startswith("UNMASK_") and name.upper() not in known:
                near = difflib.get_close_matches(name.upper(), known, 1)
                raise BadSetting(f"{name}: there is no such setting." + (f" Is it {near[0]}?" if near else ""))

    @field_validator("limits_url", "public_url")
    @classmethod
    def _scheme(cls, value: str, info: ValidationInfo) -> str:
        schemes = {"limits_url": _LIMITS_SCHEMES, "public_url": ("http://", "https://")}[info.field_name or ""]
        if value and not value.startswith(schemes):
            raise ValueError(f"must start with {' or '.join(schemes)}")
        return value

    @field_validator("evidence_url")
    @classmethod
    def _store(cls, value: str) -> str:
        if not value:
            return value
        from fsspec.core import split_protocol
        from fsspec.registry import known_implementations

        if (split_protocol(value)[0] or "file") not in known_implementations:
            raise ValueError("not the address of a store that fsspec knows, like file:///path or s3://bucket/folder")
        return value

    @field_validator("trust_list")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None and (not value.is_file() or b"-----BEGIN CERTIFICATE-----" not in value.read_bytes()):
            raise ValueError("not a file of certificates in PEM, such as C2PA's trust list")
        return value

    @field_validator("fetch_proxy_url")
    @classmethod
    def _proxy(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme == "http" and parts.hostname and parts.port and parts.password):
            raise ValueError("must look like http://:TOKEN@HOST:PORT")
        return value

    @field_validator("fetch_allow")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in filter(None, (p.strip() for p in value.split(","))):
            ip_network(part)
        return value

    @field_validator("rate_lookups", "rate_checks", "rate_logins")
    @classmethod
    def _rate(cls, value: str) -> str:
        from limits import parse_many

        parse_many(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value:
            return value
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        if not value:
            return value
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("not an address like postgresql+psycopg://user:password@host/name") from None
        if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("SQLite needs a file, since processes share it: sqlite:////path/unmask.db")
        return value

    @property
    def sandbox_required(self) -> bool:
        """A service that others reach must not do with less; one's own machine may, with a warning."""
        if self.sandbox != "auto":
            return self.sandbox == "require"
        return self.host != "localhost" and not _is_loopback(self.host)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'unmask.db'}"

    @property
    def evidence(self) -> str:
        return self.evidence_url or f"file://{self.data_dir.resolve() / 'evidence'}"

    @property
    def spool(self) -> Path:
        return self.data_dir / "spool"

    @property
    def address(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
