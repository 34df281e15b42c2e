"""Video by FFmpeg, through PyAV: one representative frame, how long it runs, and what a phone wrote beside it.

FFmpeg is given an open file and the one demuxer that its first bytes call for, so no playlist can make it open anything
else. Leaves out sound, transcoding, and tone mapping of HDR.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cluster.errors import Unreadable
from serve_apps.media.dates import of_iso, taken
from serve_apps.media.picture import Picture, fitted, must_fit
from serve_apps.media.protocol import Metadata
from serve_apps.media.texts import line, name, number, paragraph, within

DEMUXERS = {"mp4": "mov", "3gp": "mov", "mkv": "matroska", "webm": "matroska"}  # the others are named as we name them
OPTIONS = {"protocol_whitelist": "none", "enable_drefs": "0", "export_xmp": "1"}
PLACES = (0.1, 0.35, 0.65)  # parts of the length at which a frame is looked for
VIVID = 12.0  # standard deviation of a frame's levels from which it is no longer black or blank
FAR, STEP = 120, 15  # frames to go through, and between two looks, when every key frame is blank
PROBE = (64, 36)  # pixels in which a frame is judged
TURNS = {90: 8, -90: 6, 180: 3, -180: 3}  # FFmpeg's counter-clockwise angle as an EXIF orientation
APPLE = "com.apple.quicktime."
TIMES = (APPLE + "creationdate", "creation_time", "date")
ISO_6709 = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")


def decode(fd: int, container: str, longest: int, max_pixels: int) -> Picture:
    """A frame of a video with a longest side of at most `longest`, and its facts; raises Unreadable, TooLarge."""
    with opened(fd, container) as file:
        stream = picture_stream(file)
        must_fit(stream.width, stream.height, max_pixels)
        frame = representative(file, stream)
        ratio = float(stream.sample_aspect_ratio or 1)  # the pixels of old tapes are not square
        width, height = max(1, round(frame.width * ratio)), frame.height
        must_fit(width, height, max_pixels)
        small_width, small_height = fitted(width, height, longest)
        return Picture(
            pixels=frame.reformat(small_width, small_height, "rgb24").to_ndarray().astype(np.uint8, copy=False),
            width=width,
            height=height,
            orientation=TURNS.get(int(frame.rotation), 1),
            xmp=file.metadata.get("xmp", "").encode(),
            facts=facts_of(file),
        )


def facts(fd: int, container: str) -> Metadata:
    """What a video says of itself, without decoding it; raises Unreadable."""
    with opened(fd, container) as file:
        return facts_of(file)


@contextmanager
def opened(fd: int, container: str) -> Iterator[InputContainer]:
    """A video behind a file descriptor, from its start; raises Unreadable for whatever goes wrong inside."""
    os.lseek(fd, 0, os.SEEK_SET)
    demuxer = DEMUXERS.get(container, container)
    try:
        with open(fd, "rb", closefd=False) as plain, av.open(plain, format=demuxer, options=OPTIONS) as file:
            yield file
    except MemoryError:  # PyAV's own is an FFmpegError too
        raise MemoryError from None
    except (av.FFmpegError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"this video cannot be decoded ({reason[:120]}); restore it from a backup") from None


def picture_stream(file: InputContainer) -> VideoStream:
    """The stream to look at, set up to decode on one thread; raises Unreadable when there is none."""
    stream = next(iter(file.streams.video), None)
    if stream is None:
        raise Unreadable("there is no picture in this video, only sound; keep it elsewhere")
    if stream.codec_context is None:
        raise Unreadable("nobody knows the coding of this video; convert it to MP4 and scan again")
    stream.thread_type = "NONE"
    return stream


def representative(file: InputContainer, stream: VideoStream) -> VideoFrame:
    """The first frame that shows something, else the one that shows most; raises Unreadable when none decodes."""
    best: tuple[float, VideoFrame] | None = None
    for frame in candidates(file, stream):
        shown = vividness(frame)
        if shown >= VIVID:
            return frame
        if best is None or shown > best[0]:
            best = shown, frame
    if best is None:
        raise Unreadable("no frame of this video can be decoded; restore it from a backup")
    return best[1]


def candidates(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Key frames at a few places, and if the caller still goes on, frames from the start."""
    stream.codec_context.skip_frame = "NONKEY"
    start, duration = file.start_time or 0, file.duration or 0
    for place in PLACES if duration else ():
        yield from frames_from(file, stream, start + round(place * duration), 1)
    stream.codec_context.skip_frame = "DEFAULT"
    yield from islice(frames_from(file, stream, 0, FAR), 0, None, STEP)  # a transport stream cannot seek to its start


def frames_from(file: InputContainer, stream: VideoStream, microsecond: int, count: int) -> Iterator[VideoFrame]:
    """Up to `count` frames from a moment on, or from where the file stands; ends early where it is damaged."""
    with suppress(av.FFmpegError):
        file.seek(microsecond)
    with suppress(av.FFmpegError):
        yield from islice(file.decode(stream), count)


def vividness(frame: VideoFrame) -> float:
    """The standard deviation of a frame's grey levels."""
    return float(frame.reformat(*PROBE, "gray").to_ndarray().std())


def facts_of(file: InputContainer) -> Metadata:
    """Length, time, place, camera and Live Photo identifier, as QuickTime keys have them."""
    keys = {key.lower(): value for key, value in file.metadata.items()}
    moments = (taken(of_iso(keys.get(key, "")), "quicktime") for key in TIMES)
    when = next((moment for moment in moments if moment.taken_at), Metadata())
    latitude, longitude, altitude = position_of(keys.get(APPLE + "location.iso6709") or keys.get("location") or "")
    made = {key: keys.get(APPLE + key) or keys.get(key) for key in ("make", "model", "title", "description")}
    zoned = when.taken_offset_min if APPLE + "creationdate" in keys else None  # creation_time is UTC, not an offset
    return Metadata(
        taken_at=when.taken_at,
        taken_offset_min=zoned,
        taken_source=when.taken_source,
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        camera_make=name(made["make"]),
        camera_model=name(made["model"]),
        title=line(made["title"]),
        description=paragraph(made["description"]),
        live_id=name(keys.get(APPLE + "content.identifier")),
        duration_s=within(file.duration / av.time_base, 0, 1e9) if file.duration else None,
    )


def position_of(text: str) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude, altitude of `+48.8584+002.2945+035.0/`; all None when it is not written so."""
    found = ISO_6709.match(text)
    if not found:
        return None, None, None
    latitude, longitude = within(found[1], -90, 90), within(found[2], -180, 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None, None
    return latitude, longitude, within(number(found[3]), -20_000, 1_000_000)
