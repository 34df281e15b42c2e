"""What every old archive has: broken, hostile and foreign files. None of these becomes a photo."""

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from tests.sample_library.encode import picture_bytes
from tests.sample_library.pictures import View
from tests.sample_library.truth import FailureKind, SkipReason

FOLDER = "Recovered"
BOMB_SIDE = 30_000  # pixels; 900 million of them
BOMB_ROWS = 100  # compressed once and repeated

FAILED: Mapping[str, FailureKind] = {
    f"{FOLDER}/stub.jpg": "unreadable",  # cut before the first pixel
    f"{FOLDER}/empty.jpg": "unreadable",
    f"{FOLDER}/letter.jpg": "unreadable",  # text
    f"{FOLDER}/bomb.png": "too large",
}
SKIPPED: Mapping[str, SkipReason] = {
    f"{FOLDER}/loop": "a symbolic link",  # to its own parent
    f"{FOLDER}/round.jpg": "a symbolic link",  # to itself
    f"{FOLDER}/pipe.jpg": "not a regular file",  # a FIFO: opening it waits for ever
    f"{FOLDER}/readme.txt": "not a photo or video",
    f"{FOLDER}/Thumbs.db": "matches a skip pattern",
    f"{FOLDER}/._half.jpg": "matches a skip pattern",  # what macOS leaves on foreign disks
    f"{FOLDER}/.hidden.jpg": "matches a skip pattern",
    f"{FOLDER}/@eaDir": "matches a skip pattern",  # a folder of a NAS, with a thumbnail in it
}


def write_unhappy(root: Path) -> None:
    """Write them all below the library's root."""
    whole = picture_bytes(View("brick.png").render(), ".jpg", b"")
    contents: dict[str, bytes] = {
        f"{FOLDER}/stub.jpg": whole[:100],
        f"{FOLDER}/empty.jpg": b"",
        f"{FOLDER}/letter.jpg": b"Dear Kim,\nthe photos are on the other disk.\n" * 20,
        f"{FOLDER}/bomb.png": png_bomb(BOMB_SIDE),
        f"{FOLDER}/readme.txt": b"Recovered from the old disk.\n",
        f"{FOLDER}/Thumbs.db": bytes(512),
        f"{FOLDER}/._half.jpg": b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(100),
        f"{FOLDER}/.hidden.jpg": picture_bytes(View("brick.png", longest=64).render(), ".jpg", b""),
        f"{FOLDER}/@eaDir/half.jpg": picture_bytes(View("brick.png", longest=32).render(), ".jpg", b""),
    }
    (root / FOLDER / "@eaDir").mkdir(parents=True)
    for path, content in contents.items():
        (root / path).write_bytes(content)
    write_odd(root)


def write_odd(root: Path) -> None:
    """The entries that are no files: two links and a FIFO."""
    (root / FOLDER / "loop").symlink_to("..", target_is_directory=True)
    (root / FOLDER / "round.jpg").symlink_to("round.jpg")
    os.mkfifo(root / FOLDER / "pipe.jpg")


def png_bomb(side: int) -> bytes:
    """A black greyscale PNG of side x side pixels, valid and complete; a thousandth of its pixels in bytes.

    Raises ValueError unless the side is a multiple of BOMB_ROWS.
    """
    if side % BOMB_ROWS:
        raise ValueError(f"the side of the bomb must be a multiple of {BOMB_ROWS}, not {side}")
    length = side * (side + 1)  # each row begins with a filter byte
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    rows = compressor.compress(bytes(BOMB_ROWS * (side + 1))) + compressor.flush(zlib.Z_FULL_FLUSH)
    adler = (length % 65521) << 16 | 1  # of that many zeros
    data = b"\x78\xda" + rows * (side // BOMB_ROWS) + compressor.flush() + struct.pack(">I", adler)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
