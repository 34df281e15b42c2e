"""The decoder as the rest of Brightroom knows it: paths in, answers or one clear error out, whatever the bytes do.

A child of its own does the work (child.py). One that crashes, hangs or runs out of memory is replaced and the file is
tried once more, then without its sidecar; the next file never notices. Leaves out pools: who wants two files decoded at
once has two decoders.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import numpy as np

from cluster.errors import DecoderDied, StoreError, TooLarge, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.picture import Image
from serve_apps.media.process import SENSELESS, Process
from serve_apps.media.protocol import (
    BAD_SIDECAR,
    Answer,
    Decoded,
    DecodeRequest,
    Failure,
    IdentifyRequest,
    Identity,
    Pixels,
    Request,
    RgbRequest,
    Setup,
)
from serve_apps.media.texts import line

LARGEST_RGB = 4096  # longest side of an array that may be asked for
SLOWEST_DISK, SLOWEST_HASH = 20 << 20, 200 << 20  # bytes a second: large videos get time for being read

Expected = TypeVar("Expected", Decoded, Identity, Pixels)


class Decoder:
    """A decode child and what to do when it fails; may be used from several threads, one file at a time.

    Close it, or use it in a `with` statement. Every method raises Unreadable, TooLarge or DecoderDied for its own file,
    StoreError when derived pictures cannot be written, and Unavailable when no child starts.
    """

    def __init__(self, settings: MediaSettings, derived: Path) -> None:
        self._settings = settings
        self._setup = setup_of(settings, derived)
        self._memory = os.fdopen(os.memfd_create("brightroom-rgb", os.MFD_CLOEXEC), "r+b", buffering=0)
        self._lock = threading.Lock()
        self._child = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def decode(
        self, path: bytes, sidecar: bytes | None = None, name: str = "", force: bool = False, expected: str = ""
    ) -> Decoded:
        """Read, hash and decode a file and write its derived pictures; an XMP sidecar's metadata is merged in.

        `name` is what people call the file, if not its path. Pictures that are there are only written anew by `force`.
        A file without the `expected` content id, if one is given, is Unreadable, and nothing is written.
        """
        beside = os.path.abspath(sidecar) if sidecar is not None else None
        return self._ask(path, Decoded, lambda full, cpu_s: DecodeRequest(full, beside, name, force, cpu_s, expected))

    def identify(self, path: bytes) -> Identity:
        """Which bytes a file holds, with the metadata of an XMP sidecar or a video; nothing is decoded."""
        return self._ask(path, Identity, IdentifyRequest)

    def rgb(self, path: bytes, longest: int, name: str = "") -> Image:
        """(H, W, 3) of a picture or video, upright, in sRGB, its longest side at most `longest` (up to 4096).

        `name` is what people call the file, if not its path.
        """
        longest = min(longest, LARGEST_RGB)
        with self._lock:
            size = self._ask_locked(path, Pixels, lambda full, cpu_s: RgbRequest(full, longest, name, cpu_s))
            pixels = np.empty((size.height, size.width, 3), np.uint8)
            if (
                max(size.height, size.width) > longest
                or os.preadv(self._memory.fileno(), [pixels.data], 0) != pixels.nbytes
            ):
                self._child.stop()
                raise DecoderDied(SENSELESS)
            self._memory.truncate(0)
            return pixels

    def close(self) -> None:
        """End the child; the decoder is of no use afterwards."""
        with self._lock:
            self._child.stop()
            self._memory.close()

    def _ask(self, path: bytes, kind: type[Expected], request: Callable[[bytes, int], Request]) -> Expected:
        with self._lock:
            return self._ask_locked(path, kind, request)

    def _ask_locked(self, path: bytes, kind: type[Expected], request: Callable[[bytes, int], Request]) -> Expected:
        full = os.path.abspath(path)
        size = size_of(full)
        wall_s = self._settings.wall_s + size / SLOWEST_DISK
        wanted = request(full, self._settings.cpu_s + size // SLOWEST_HASH)
        return checked(self._tried(wanted, wall_s), kind, self._settings)

    def _tried(self, request: Request, wall_s: float) -> Answer:
        try:
            answer = self._fresh().ask(request, wall_s)
        except DecoderDied:
            return self._tried_again(request, wall_s)
        if not is_out_of_memory(answer):
            return answer
        self._child.stop()  # it is leaving
        return self._tried_again(request, wall_s)

    def _tried_again(self, request: Request, wall_s: float) -> Answer:
        if not isinstance(request, DecodeRequest) or request.sidecar is None:
            return self._fresh().ask(request, wall_s)
        alone = msgspec.structs.replace(request, sidecar=None)  # whichever of the two it was, the picture may be saved
        answer = self._fresh().ask(alone, wall_s)
        if isinstance(answer, Decoded):
            return msgspec.structs.replace(answer, flags=[*answer.flags, BAD_SIDECAR])
        return answer

    def _fresh(self) -> Process:
        """The child, or a new one in place of one that has gone or has seen enough files."""
        if not self._child or self._child.asked >= self._settings.recycle_after:
            self._child.stop()
            self._child = self._started()
        return self._child

    def _started(self) -> Process:
        return Process(self._setup, self._memory.fileno(), self._settings.child)


def setup_of(settings: MediaSettings, derived: Path) -> Setup:
    """What a child is told of the settings."""
    return Setup(
        parent_pid=os.getpid(),
        derived=os.fsencode(derived.absolute()),
        preview_px=settings.preview_px,
        big_px=settings.big_px,
        square_px=settings.square_px,
        small_px=settings.small_px,
        quality=settings.quality,
        max_pixels=settings.max_pixels,
        max_file_bytes=settings.max_file_mb << 20,
        memory_bytes=settings.memory_mb << 20,
    )


def checked(answer: Answer, kind: type[Expected], settings: MediaSettings) -> Expected:
    """The answer if it is of the expected kind, else the error it stands for."""
    if isinstance(answer, kind):
        return answer
    if not isinstance(answer, Failure):
        raise DecoderDied(SENSELESS)
    sentence = line(answer.sentence)
    match answer.reason:
        case "too large":
            raise TooLarge(sentence)
        case "memory":
            limit = f"the {settings.memory_mb:,} MB of media.memory_mb"
            raise DecoderDied(f"decoding this file needs more than {limit}; raise the setting if the file is yours")
        case "storage":
            raise StoreError(f"{sentence}; make room, or mend the folder's permissions")
    raise Unreadable(sentence)


def is_out_of_memory(answer: Answer) -> bool:
    """Whether a child had to give up for want of memory, and is leaving."""
    return isinstance(answer, Failure) and answer.reason == "memory"


def size_of(path: bytes) -> int:
    """A file's size in bytes, 0 when it cannot be known."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
