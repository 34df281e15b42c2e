"""Open an owner's original to be read, never outside the owner's folder; and the name and type it is sent under."""

import os
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from api.ranges import OpenFile
from cluster.errors import NotFound

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not block its opening
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
GONE = "This original is not in the scan directory any more. A scan will notice, and find it again if it comes back."

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jp2": "image/jp2",
    ".dng": "image/x-adobe-dng",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".webm": "video/webm",
    ".xmp": "application/rdf+xml",
}


def open_original(root: Path, relative: bytes) -> OpenFile:
    """A file below the root, reached without following a link. Raises NotFound for anything else."""
    *folders, name = relative.split(b"/")
    if any(part in (b"", b".", b"..") or b"\0" in part for part in (*folders, name)):
        raise NotFound(GONE)
    try:
        file = OpenFile(descend(root, folders, name))
    except OSError:
        raise NotFound(GONE) from None
    if not file.regular:
        raise NotFound(GONE)
    return file


def descend(root: Path, folders: list[bytes], name: bytes) -> int:
    """A descriptor of `name`, every folder on the way opened from the one before and none of them a link."""
    folder = os.open(root, FOLDER)
    try:
        for part in folders:
            below = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(name, READ, dir_fd=folder)
    finally:
        os.close(folder)


def media_type(name: str) -> str:
    """A fixed type for a known ending; bytes of no particular kind for any other."""
    return MEDIA_TYPES.get(PurePosixPath(name.lower()).suffix, "application/octet-stream")


def attachment(name: str) -> str:
    """A Content-Disposition that downloads under this name: RFC 6266, with an ASCII name for old clients."""
    shown = "".join(harmless(character) for character in name)[:255] or "photo"
    plain = "".join(character if character.isascii() and character not in '"%;' else "_" for character in shown)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}"


def harmless(character: str) -> str:
    """The character, or `_` for what can end a header, hide a name's end, or name a folder."""
    hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return "_" if hidden or character in "/\\" else character
