"""Clips, by PyAV: a first pass reads only the packets' times, a second decodes what the samples need.

Seeking to 60 arbitrary frames of a clip with few key frames took 13 s, reading all its 900 frames 1.6 s; and reading
all of a long clip costs its length. The packets' times show where key frames lie: groups of pictures that hold no
sample are skipped undecoded, a sample near a key frame moves onto it, and frames nothing refers to are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import quantiser
from models.bounds import GLANCE_SIDE, DecodeLimits
from models.errors import CorruptMedia, TooLong, UnsupportedMedia
from models.timeline import Timeline, glances, may_skip, samples
from models.types import Frame, Glance, Grey, MediaInfo, Rgb

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

MOST_PACKETS = 1_000_000  # nine hours at 30 frames a second
WIDEST_PIXEL = 3  # sample aspect ratios beyond this are mistakes
SLACK = 0.5  # seconds a container may promise beyond its packets: rounding, a last frame without a duration
NOTICEABLE = 0.1  # share of a clip that is missing: from here on people are told
MOST = 0.5  # ... and beyond this nothing is judged
_DAMAGED = "The video is damaged or cut short. Send the whole file."

_DEMUXERS = {"matroska": "video/webm", "mov": "video/mp4", "avi": "video/x-msvideo", "flv": "video/x-flv"}
_DEMUXERS |= {"mpegts": "video/mp2t", "mpeg": "video/mpeg", "ogg": "video/ogg", "asf": "video/x-ms-asf"}
_PROMISING = ("mov", "matroska")  # their headers state a duration; that of the others is an estimate or often wrong


def container_of(head: bytes) -> str | None:
    """The demuxer for these bytes. Naming it shuts out playlists and SDP, which reach for other files and hosts."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith(b"\x00\x00\x01\xba"):
        return "mpeg"
    if head.startswith(b"G") and head[188:189] == b"G" and head[376:377] == b"G":
        return "mpegts"
    starts = {b"FLV\x01": "flv", b"OggS": "ogg", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf"}
    return next((name for start, name in starts.items() if head.startswith(start)), None)


def probe(path: Path, container: str, limits: DecodeLimits) -> MediaInfo:
    timeline = _measured(path, container, limits)
    with _opened(path, container) as source:
        stream = _stream(source)
        first, pixel = next(source.decode(stream), None), _pixel(stream)
    if first is None:
        raise CorruptMedia("No frame of the video can be decoded. Send the whole, undamaged file.")
    width, height = _shown_size(first, pixel)
    if round(first.rotation / 90) % 2:
        width, height = height, width
    complete = timeline.missing <= NOTICEABLE
    return MediaInfo("video", _DEMUXERS[container], width, height, timeline.duration, len(timeline.times), complete)


def tags(path: Path, mime: str) -> dict[str, str]:
    """What the container and its video say of themselves, of a file whose description `probe` gave."""
    container = next(name for name, told in _DEMUXERS.items() if told == mime)
    with _opened(path, container) as source:
        return {**_stream(source).metadata, **source.metadata}


def decode(path: Path, container: str, limits: DecodeLimits, count: int) -> Iterator[Frame]:
    return (picture for picture in _read(path, container, limits, count, glancing=False) if isinstance(picture, Frame))


def watch(path: Path, container: str, limits: DecodeLimits, count: int) -> Iterator[Frame | Glance]:
    """The same frames, and glances between them where the clip is long enough to count blinks."""
    return _read(path, container, limits, count, glancing=True)


def _read(path: Path, container: str, limits: DecodeLimits, count: int, *, glancing: bool) -> Iterator[Frame | Glance]:
    from av.video.reformatter import VideoReformatter

    timeline = _measured(path, container, limits)
    sampled = samples(timeline, count)
    glanced = set(glances(timeline, sampled)) if glancing else set[int]()
    wanted = sorted({*sampled, *glanced})
    seen = 0
    last: Frame | Glance | None = None
    with _opened(path, container) as source:
        pixel, scaler = _pixel(_stream(source)), VideoReformatter()
        for frame, met in _decoded(source, timeline, wanted, limits.threads, bool(glanced)):
            index = timeline.place(frame.pts)
            seconds = float((timeline.times[index] - timeline.times[0]) * timeline.tick)
            if not met.isdisjoint(sampled):
                if last is not None:
                    yield last
                last = Frame(_upright_rgb(frame, pixel, limits.max_side), seconds, index, quantiser=quantiser.of(frame))
                seen += 1
            if not met.isdisjoint(glanced):
                if last is not None:
                    yield last
                last = Glance(_upright_grey(frame, pixel, scaler), seconds)
    if last is None:
        raise CorruptMedia("No frame of the video can be decoded. Send the whole, undamaged file.")
    missing = len(sampled) - seen
    if missing > MOST * len(sampled):
        raise CorruptMedia(_DAMAGED)
    yield replace(last, missing=missing if missing > NOTICEABLE * len(sampled) else 0)


@contextmanager
def _opened(path: Path, container: str) -> Iterator[InputContainer]:
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": f"{container},mp4,webm", "max_streams": "32"}
    try:
        with av.open(str(path), format=container, container_options=options, metadata_errors="replace") as source:
            yield source
    except av.error.FFmpegError as error:
        raise CorruptMedia(_DAMAGED) from error


def _stream(source: InputContainer) -> VideoStream:
    import av

    if not len(source.streams):
        raise CorruptMedia(_DAMAGED)
    for stream in source.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise UnsupportedMedia("The file holds no video that can be read. Send the video itself, as MP4 or WebM.")


def _measured(path: Path, container: str, limits: DecodeLimits) -> Timeline:
    with _opened(path, container) as source:
        stream = _stream(source)
        limits.check_pixels(stream.codec_context.width, stream.codec_context.height)
        timeline = _timeline(source, stream, limits.max_seconds, container in _PROMISING)
    if timeline.missing > MOST:
        raise CorruptMedia(_DAMAGED)
    return timeline


def _timeline(source: InputContainer, stream: VideoStream, max_seconds: float, promising: bool) -> Timeline:
    times, keys, end = [], [], 0.0
    tick = stream.time_base or Fraction(1, 1000)
    # Matroska's duration is that of its longest stream.
    streams = source.streams if promising and stream.duration is None else [stream]
    for packet in source.demux(*streams):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or not packet.size:
            continue
        end = max(end, float((time + (packet.duration or 0)) * (packet.time_base or tick)))
        if packet.stream.index != stream.index or packet.is_discard:  # discarded: cut off by an edit list
            continue
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
        if len(times) > MOST_PACKETS:
            raise TooLong(f"The video has more than {MOST_PACKETS:,} frames. Send a part of it.")
    missing = _missing(_promised(source, stream), end) if promising else 0.0
    timeline = Timeline(tuple(sorted(times)), tuple(sorted(keys)) or tuple(sorted(times)[:1]), tick, missing)
    if not times:
        raise CorruptMedia("The video holds no frame. Send the whole file.")
    if timeline.duration > max_seconds:
        raise TooLong(f"The video lasts {timeline.duration:,.0f} s; at most {max_seconds:,.0f} s are looked at.")
    return timeline


def _promised(source: InputContainer, stream: VideoStream) -> float:
    """Seconds the header states. Frame counts are no promise: those cut off by an edit list are among them."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (source.duration or 0) / 1_000_000


def _missing(promised: float, held: float) -> float:
    return 1 - held / promised if promised - held > SLACK else 0.0


def _decoded(
    source: InputContainer, timeline: Timeline, wanted: list[int], threads: int, glancing: bool
) -> Iterator[tuple[VideoFrame, set[int]]]:
    """The first decoded frame at or after each wanted time, with the times it stands for."""
    stream = _stream(source)
    codec = stream.codec_context
    codec.options = quantiser.ASKED_FOR
    codec.thread_type = "AUTO"
    codec.thread_count = threads
    if may_skip(timeline, wanted, glancing):
        codec.skip_frame = "NONREF"
    due = deque(wanted)
    last: VideoFrame | None = None
    for frame in _frames(source, stream, timeline, wanted):
        if not due:
            return
        last = frame
        met = set[int]()
        while due and (frame.pts is None or due[0] <= frame.pts):
            met.add(due.popleft())
        if met:
            last = None
            yield frame, met
    if due and last is not None:
        yield last, set(due)


def _frames(source: InputContainer, stream: VideoStream, timeline: Timeline, wanted: list[int]) -> Iterator[VideoFrame]:
    """Decoded frames, without the groups of pictures between two key frames that hold no sample."""
    import av

    needed, flushed = True, True
    for packet in source.demux(stream):
        time = packet.pts if packet.pts is not None else packet.dts
        if packet.is_keyframe and time is not None:
            needed = timeline.group_holds(time, wanted)
            if not needed and not flushed:
                yield from stream.decode(None)
                stream.codec_context.flush_buffers()
                flushed = True
        if not needed and packet.size:
            continue
        try:
            yield from stream.decode(packet)
        except av.error.InvalidDataError:  # a damaged stretch: go on behind it
            continue
        flushed = False


def _upright_rgb(frame: VideoFrame, pixel: float, max_side: int) -> Rgb:
    width, height = _size_within(frame, pixel, max_side)
    return _upright(frame.to_ndarray(format="rgb24", width=width, height=height), frame)


def _upright_grey(frame: VideoFrame, pixel: float, scaler: VideoReformatter) -> Grey:
    """`scaler` keeps its tables from glance to glance: building them costs as much as scaling."""
    width, height = _size_within(frame, pixel, GLANCE_SIDE)
    return _upright(scaler.reformat(frame, width, height, "gray", interpolation="AREA").to_ndarray(), frame)


def _upright(shown: NDArray[Any], frame: VideoFrame) -> NDArray[np.uint8]:
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(shown, turns)) if turns else np.asarray(shown, np.uint8)


def _size_within(frame: VideoFrame, pixel: float, side: int) -> tuple[int, int]:
    width, height = _shown_size(frame, pixel)
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shown_size(frame: VideoFrame, pixel: float) -> tuple[int, int]:
    """Width and height before rotation."""
    return max(1, round(frame.width * pixel)), frame.height


def _pixel(stream: VideoStream) -> float:
    """Width of a pixel over its height: a face squeezed by oblong ones is not the face of training."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if 1 / WIDEST_PIXEL <= ratio <= WIDEST_PIXEL else 1.0
