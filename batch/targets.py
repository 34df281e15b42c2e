"""Where a photo's metadata may be written: what all kinds of places have in common.

Leaves out the places themselves: beside the photo (beside.py) and inside it (inside.py).
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from batch.rewriting import CHANGED, Step
from batch.rows import Row
from cluster.errors import Unwritable
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.files import FOLDER
from cluster.store.paths import display
from cluster.store.writer import Write
from serve_apps.media.box import Decoder
from serve_apps.media.protocol import Decoded
from serve_apps.media.source import Source
from serve_apps.media.xmp_write import Wanted, is_said, merged, only_found

ELSEWHERE = "it is on your Nextcloud, where nothing is written; copy it into your folder to have it written there"
GONE = "its file is not there any more; scan again"
SPOILT = "what was written did not read back as it should, so the file was left as it was; save beside it instead"


@dataclass
class Target(ABC):
    """A kind of place, for one library."""

    settings: Settings
    owner: str
    library: Library
    root: bytes
    job_id: str
    decoder: Decoder
    step: Step  # told what is done next
    pictures: dict[str, int] = field(default_factory=dict)  # content -> bytes of the derived pictures, where decoded

    @abstractmethod
    def save(self, photo: Row, files: Sequence[Row], wanted: Wanted) -> bool:
        """Write what is wanted of a photo unless it is said already; whether it was. Raises PhotoError."""

    @abstractmethod
    def writes(self) -> list[Write]:
        """What the library must be told of what was written."""

    @abstractmethod
    def settle(self) -> None:
        """Let go of what was replaced: the library knows."""

    def whole(self, path: bytes) -> bytes:
        """A path below the root as the decode child is given it."""
        return os.path.join(self.root, path)

    def is_known(self, path: bytes, sidecar: bytes | None, packets: Iterable[bytes], wanted: Wanted) -> bool:
        """Whether a file says it all already: in its packets what was found in it, and somewhere what files say."""
        if wanted.refused:
            return False  # a packet may name them
        found = only_found(wanted)
        told = found.caption or found.tags or found.regions
        if told and not any(merged(packet, found) == packet for packet in packets if packet):
            return False
        beside = self.whole(sidecar) if sidecar else None
        return is_said(self.decode(self.whole(path), beside, display(path)).metadata, wanted)

    def decode(self, path: bytes, sidecar: bytes | None, name: str) -> Decoded:
        """What a file is and says; derived pictures of it that were gone are there again."""
        decoded = self.decoder.decode(path, sidecar, name)
        self.pictures[decoded.content_id] = sum(decoded.derived.values())
        return decoded


def main_of(photo: Row, files: Sequence[Row]) -> Row:
    """A photo's main file, or a copy of it in the owner's folder where that one is on a Nextcloud.

    Raises Unwritable when it is not there, could not be read, or is nowhere else.
    """
    main = next((file for file in files if file["file_id"] == photo["main_file_id"]), None)
    if main is None or main["state"] != "ok":
        raise Unwritable(GONE)
    if main["source"] == FOLDER:
        return main
    same = [file for file in files if file["content_id"] == main["content_id"] and file["state"] == "ok"]
    own = [file for file in same if file["source"] == FOLDER]
    if not own:
        raise Unwritable(ELSEWHERE)
    return min(own, key=lambda file: file["path"])


def must_be_as_known(source: Source, file: Row) -> None:
    """Raise Unwritable for a file that was changed since a scan read it: what it says now is not known."""
    if (source.size, source.mtime_ns) != (file["size"], file["mtime_ns"]):
        raise Unwritable(CHANGED)
