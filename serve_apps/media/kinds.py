"""What a file is: by its name (for the walk, before anything is opened) and by its first bytes (for the decoders).

Imports nothing heavy, so that a walk over a million names can use it. Leaves out whether the bytes can be decoded.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal, NamedTuple

FileKind = Literal["image", "raw", "video", "xmp"]
MediaKind = Literal["image", "raw", "video"]

IMAGE_EXTENSIONS = frozenset((
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "tif", "tiff", "bmp", "dib", "avif", "heic", "heif",
    "hif", "jp2", "j2k", "jpx", "jpf",
))  # fmt: skip
RAW_EXTENSIONS = frozenset((
    "3fr", "ari", "arw", "bay", "cr2", "cr3", "crw", "cs1", "cxi", "dcr", "dng", "eip", "erf", "fff", "iiq",
    "j6i", "k25", "kc2", "kdc", "mdc", "mef", "mfw", "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw",
    "rw2", "rwl", "rwz", "sr2", "srf", "srw", "x3f",
))  # fmt: skip
VIDEO_EXTENSIONS = frozenset((  # without `ts`: nearly every file of that name is TypeScript, and the walk opens none
    "mp4", "m4v", "mov", "qt", "mkv", "webm", "avi", "3gp", "3g2", "mts", "m2ts", "mpg", "mpeg", "wmv",
    "asf", "flv", "ogv",
))  # fmt: skip

HEAD_BYTES = 512  # what `sniff` wants to see

HEIC_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"))
AVIF_BRANDS = frozenset((b"avif", b"avis"))
IMAGE_BRANDS = frozenset((b"mif1", b"msf1", b"mif2", b"miaf"))
QUICKTIME_ATOMS = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
RAW_MAGIC = (
    b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"IIII", b"II\x1a\0\0\0HEAPCCDR",
)  # fmt: skip
MAGIC = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"BM", "bmp"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"), (b"\xff\x4f\xff\x51", "jp2"),
)  # fmt: skip
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the second pair is BigTIFF
VIDEO_MAGIC = (
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"), (b"FLV\x01", "flv"), (b"OggS", "ogg"), (b"\0\0\x01\xba", "mpeg"),
)  # fmt: skip


class Format(NamedTuple):
    """What the bytes say they are: `image` and `jpeg`, `raw` and `dng`, `video` and `mov`."""

    kind: MediaKind
    name: str


def extension(name: str) -> str:
    """The lower-case extension of a file name, without its dot."""
    return PurePath(name).suffix[1:].lower()


def kind_of(name: str) -> FileKind | None:
    """What a file of this name ought to be; None when it is nothing a photo library reads."""
    match extension(name):
        case ending if ending in IMAGE_EXTENSIONS:
            return "image"
        case ending if ending in RAW_EXTENSIONS:
            return "raw"
        case ending if ending in VIDEO_EXTENSIONS:
            return "video"
        case "xmp":
            return "xmp"
    return None


def sniff(head: bytes, name: str) -> Format | None:
    """What a file is by its first HEAD_BYTES, or None; its name only tells camera RAW from other TIFF files."""
    ending = extension(name)
    if found := next((format for magic, format in MAGIC if head.startswith(magic)), None):
        return Format("image", found)
    if head.startswith(TIFF_MAGIC):
        return Format("raw", ending) if ending in RAW_EXTENSIONS else Format("image", "tiff")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format("image", "webp")
    if head[4:8] == b"ftyp":
        return boxed(head, ending)
    if head.startswith(RAW_MAGIC):
        return Format("raw", ending if ending in RAW_EXTENSIONS else "raw")
    if container := video_container(head):
        return Format("video", container)
    return Format("raw", ending) if ending in RAW_EXTENSIONS and not looks_like_text(head) else None


def boxed(head: bytes, ending: str) -> Format:
    """HEIC, AVIF, Canon's CR3 or a video: they share one container and differ in their brands."""
    major, *compatible = brands(head)
    if major in HEIC_BRANDS or (major in IMAGE_BRANDS and not AVIF_BRANDS & set(compatible)):
        return Format("image", "heic")
    if major in AVIF_BRANDS or major in IMAGE_BRANDS:
        return Format("image", "avif")
    if major == b"crx ":
        return Format("raw", "cr3")
    return Format("video", "mov" if major == b"qt  " else "3gp" if major[:2] == b"3g" else "mp4")


def brands(head: bytes) -> Iterator[bytes]:
    """The major brand of an `ftyp` box, then the compatible ones."""
    yield head[8:12]
    for at in range(16, min(int.from_bytes(head[:4], "big"), len(head)) - 3, 4):
        yield head[at : at + 4]


def video_container(head: bytes) -> str | None:
    """The container of a video that is no ISO file, by its first bytes."""
    if head[4:8] in QUICKTIME_ATOMS:
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    if any(head[at : at + 1] == head[at + 188 + at : at + 189 + at] == b"G" for at in (0, 4)):
        return "mpegts"
    return next((container for magic, container in VIDEO_MAGIC if head.startswith(magic)), None)


def looks_like_text(head: bytes) -> bool:
    """Whether the bytes read as text; a part of a character at the end does no harm."""
    return b"\0" not in head and "\ufffd" not in head[:-4].decode("utf-8", "replace")
