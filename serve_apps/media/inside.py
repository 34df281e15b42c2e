"""The XMP packet inside a picture or video, whatever its format: what it is now, and the file with another one.

Formats that have no safe place for it are refused. Leaves out what a packet says (xmp_write.py), and writing to a disk.
"""

from typing import NamedTuple, Protocol

from cluster.errors import Unreadable
from serve_apps.media import inside_heif, inside_jpeg, inside_tiff, inside_video
from serve_apps.media.kinds import extension, sniff
from serve_apps.media.pieces import Piece, Reading, reading
from serve_apps.media.source import Source


class Form(Protocol):
    """A family of formats."""

    def packet(self, read: Reading, size: int) -> bytes:
        """The XMP packet; empty when there is none."""
        ...

    def rewritten(self, read: Reading, size: int, packet: bytes) -> list[Piece]:
        """The file with this packet."""
        ...


FORMS: dict[str, Form] = {
    "jpeg": inside_jpeg, "heic": inside_heif, "avif": inside_heif, "tiff": inside_tiff, "dng": inside_tiff,
    "mp4": inside_video, "mov": inside_video, "3gp": inside_video,
}  # fmt: skip
ENDINGS = frozenset((  # of names whose files are mostly of these formats
    "jpg", "jpeg", "jpe", "jfif", "heic", "heif", "hif", "avif", "tif", "tiff", "dng", "mp4", "m4v", "mov", "qt",
    "3gp", "3g2",
))  # fmt: skip


class Inside(NamedTuple):
    """A file that can hold a packet, and the packet it holds."""

    source: Source
    form: Form
    packet: bytes

    def rewritten(self, packet: bytes) -> list[Piece]:
        """The file with another packet; raises Unreadable, TooLarge."""
        return self.form.rewritten(reading(self.source), self.source.size, packet)


def is_possible(name: str) -> bool:
    """Whether a file of this name is likely to be one that a packet can be written into."""
    return extension(name) in ENDINGS


def inside(source: Source, name: str) -> Inside:
    """What is in an open file; raises Unreadable for a format that nothing is written into."""
    format = sniff(source.head(), name)
    form = FORMS.get(format.name) if format else None
    if form is None:
        what = format.name.upper() if format else "unknown"
        raise Unreadable(f"nothing can be written into a file of this kind ({what}); write beside it instead")
    return Inside(source, form, form.packet(reading(source), source.size))
