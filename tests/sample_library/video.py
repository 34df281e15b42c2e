"""Short H.264 videos with what phones write into them: MP4 with a time and place, MOV with Apple's keys."""

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from PIL.Image import Image

RATE = 15  # frames a second
SIZE = (480, 270)  # width and height of a frame
STEP = 2  # pixels the camera moves from frame to frame
# x264's bytes depend on the number of threads, and with its AVX-512 code they differ from run to run.
REPEATABLE = {"preset": "veryfast", "threads": "1", "x264-params": "asm=0"}


def write_mp4(path: Path, picture: Image, seconds: float, location: str, taken: datetime) -> None:
    """An MP4 that knows when it was taken, in UTC, and where (ISO 6709)."""
    write(path, picture, seconds, {"creation_time": utc(taken), "location": location}, {})


def write_mov(path: Path, picture: Image, seconds: float, apple: dict[str, str], taken: datetime) -> None:
    """A MOV with Apple's keys (without their common beginning)."""
    keys = {f"com.apple.quicktime.{key}": value for key, value in apple.items()}
    write(path, picture, seconds, keys | {"creation_time": utc(taken)}, {"movflags": "use_metadata_tags"})


def write(path: Path, picture: Image, seconds: float, metadata: dict[str, str], options: dict[str, str]) -> None:
    """A camera moving over the picture."""
    frames = np.asarray(picture.convert("RGB"))
    with av.open(str(path), "w", options={"fflags": "+bitexact", **options}) as container:
        container.metadata.update(metadata)
        stream = container.add_stream("libx264", rate=RATE, options=REPEATABLE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(round(seconds * RATE)):
            left, top = number * STEP, number
            part = frames[top : top + SIZE[1], left : left + SIZE[0]]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(part), format="rgb24")))
        container.mux(stream.encode())


def utc(taken: datetime) -> str:
    """A time as video containers keep it."""
    return f"{taken.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000000Z}"


def iso6709(latitude: float, longitude: float, altitude: float) -> str:
    """Coordinates as video containers keep them: +48.8534+002.3488+035.000/."""
    return f"{latitude:+08.4f}{longitude:+09.4f}{altitude:+08.3f}/"
