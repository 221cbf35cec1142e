"""From a request to a wish: what was asked for, and the bytes that came with it, on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from flask import request
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage

from server import intake
from server.errors import BadRequest, DetectorNotInstalled
from server.identity import keys
from server.intake import FrameLimits, Spooled
from server.options import Options
from server.store.checks import Wish
from server.web.api.blueprint import json_body
from server.web.api.schemas import CheckAsked
from server.web.errors import from_validation
from server.web.services import services

_LISTS = ("times", "detectors")
_FORM_ONLY = ("claimed_url", "times")
_KEY_LENGTH = 128


@contextlib.contextmanager
def received() -> Iterator[Wish]:
    """The wish. Its bytes are taken off the disk again when the request fails before somebody wants them."""
    if request.mimetype == "multipart/form-data":
        with services().uploads.one(), _uploaded() as wish:
            yield wish
    else:
        yield _address(json_body(CheckAsked))


def idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= _KEY_LENGTH and key.isprintable()):
        raise BadRequest(f"Idempotency-Key has 1 to {_KEY_LENGTH} printable characters.")
    return key


def _address(asked: CheckAsked) -> Wish:
    if asked.url is None:
        raise BadRequest("Give `url`, or send a form with `file` or `frames`.")
    if given := [name for name in _FORM_ONLY if getattr(asked, name) is not None]:
        raise BadRequest(f"`{given[0]}` goes with an uploaded file.")
    subject = keys(asked.url)
    if asked.page_url is not None:
        keys(asked.page_url)
    if asked.media_url is not None:
        subject = keys(asked.media_url)
    return Wish(
        source="url",
        acquisition="download",
        options=_options(asked),
        priority=asked.priority,
        force=asked.force,
        url=asked.url,
        url_key=subject.canonical,
        page_url=asked.page_url,
        media_url=asked.media_url,
    )


@contextlib.contextmanager
def _uploaded() -> Iterator[Wish]:
    asked = _form()
    file, frames = request.files.get("file"), request.files.getlist("frames")
    if (file is None) == (not frames) or len(request.files.getlist("file")) > 1 or asked.url is not None:
        raise BadRequest("A form carries either one `file` or `frames`, and no `url` (see `claimed_url`).")
    if asked.claimed_url is not None:
        keys(asked.claimed_url)
    options = _options(asked)
    spooled = _spool(file, frames, asked.times or [])
    try:
        yield Wish(
            source="file" if file is not None else "frames",
            acquisition=asked.acquisition,
            options=options,
            priority=asked.priority,
            force=asked.force,
            sha256=spooled.sha256,
            spooled=spooled.path.name,
            claimed_url=asked.claimed_url,
        )
    except BaseException:
        discard(spooled.path.name)
        raise


def _spool(file: FileStorage | None, frames: list[FileStorage], times: list[float]) -> Spooled:
    settings = services().settings
    if file is not None:
        return intake.spool_upload(file.stream, settings.spool, settings.max_upload_bytes)
    limits = FrameLimits(max_bytes=settings.max_upload_bytes)
    return intake.spool_frames([frame.stream for frame in frames], times, settings.spool, limits)


def _form() -> CheckAsked:
    """Form fields are text; pydantic reads numbers and truth values from it, lists come as JSON or with commas."""
    fields: dict[str, Any] = dict(request.form)
    fields.pop("csrf_token", None)
    for name in _LISTS:
        if name in fields:
            fields[name] = _list(name, request.form.getlist(name))
    if (length := fields.get("sequence_length", "")).isdecimal():
        fields["sequence_length"] = int(length)
    try:
        return CheckAsked.model_validate(fields)
    except ValidationError as error:
        raise from_validation(error) from error


def _list(name: str, values: list[str]) -> Any:
    if len(values) == 1 and values[0].lstrip().startswith("["):
        try:
            return json.loads(values[0])
        except ValueError:
            raise BadRequest(f"`{name}` is not valid JSON.") from None
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _options(asked: CheckAsked) -> Options:
    """Asking for all installed detectors by name is asking for the default: one place in the cache."""
    if asked.detectors is None:
        return Options(asked.sequence_length)
    listed = {entry["name"]: entry for entry in services().catalogue()}
    installed = [name for name, entry in listed.items() if entry["installed"]]
    wanted = set(asked.detectors)
    if unknown := sorted(wanted - set(listed)):
        raise BadRequest(
            f"There is no detector {unknown[0]!r}. Choose from: {', '.join(installed)}.",
            details={"detectors": installed},
        )
    if missing := sorted(wanted - set(installed)):
        raise DetectorNotInstalled(
            f"The detector {missing[0]} is {listed[missing[0]]['status']}.", details={"detectors": installed}
        )
    if not wanted:
        raise BadRequest("`detectors` names at least one detector; leave it out for all.")
    return Options(asked.sequence_length, None if wanted == set(installed) else tuple(sorted(wanted)))


def discard(name: str) -> None:
    """Bytes that no check took over leave the disk at once."""
    (services().settings.spool / name).unlink(missing_ok=True)
