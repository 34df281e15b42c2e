"""A photo's metadata inside its own file and every copy of it, verified before they take the old one's place.

Leaves out where formats keep a packet (serve_apps/media/inside.py), and the library that must follow (saving.py).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from batch.former import Former, Formers
from batch.rewriting import CHANGED, Rewriting, Written, folder_of
from batch.rows import Row
from batch.saving import Notes, Pending, forget_derived, settle, share_derived, writes_of
from batch.targets import SPOILT, Target, main_of, must_be_as_known
from batch.variants import stem
from cluster.errors import PhotoError, Unwritable
from cluster.store.paths import display
from cluster.store.writer import Write
from serve_apps.media.inside import inside
from serve_apps.media.pieces import Piece, backwards, contents
from serve_apps.media.protocol import Decoded
from serve_apps.media.source import Source
from serve_apps.media.xmp_write import Wanted, is_said, merged

LOOK = 1024  # pixels of the longest side in which two pictures are compared


@dataclass
class Inside(Target):
    """The photo's own file, and every copy of it: a copy that stayed as it was would be another photo."""

    done: list[Pending] = field(default_factory=list)

    def save(self, photo: Row, files: Sequence[Row], wanted: Wanted) -> bool:
        """Write into the file unless it says all."""
        written = [self.save_file(file, wanted) for file in copies(main_of(photo, files), files)]
        return any(written)

    def save_file(self, file: Row, wanted: Wanted) -> bool:
        """Write into one file unless it says all."""
        path = file["path"]
        with folder_of(self.root, path) as folder, Source(os.path.basename(path), folder) as source:
            target = Rewriting(folder, os.path.basename(path), self.step)
            target.clear()
            must_be_as_known(source, file)
            there = inside(source, display(path))
            packet = merged(there.packet, wanted)
            if packet == there.packet or self.is_known(path, None, [there.packet], wanted):
                return False
            seen = os.fstat(source.fd)
            target.must_be_writable(seen)
            if source.content_id() != file["content_id"]:
                raise Unwritable(CHANGED)
            pieces = there.rewritten(packet)
            written = target.write(contents(source, pieces), seen, source)
            source.must_be_unchanged()
            pending = pending_of(file, written)
            self.verify(target, pending, packet, wanted)
            self.put(target, pending, seen, backwards(pieces, source))
        return True

    def put(self, target: Rewriting, pending: Pending, seen: os.stat_result, back: list[Piece]) -> None:
        """Put a new file in place, noted before, and how the old one is made of it again."""
        former = Former(pending.photo_id, pending.path, sidecar=False, old=pending.old, new=pending.new, pieces=back)
        formers = Formers(self.settings, self.owner)
        self.step("note")
        formers.add(self.job_id, former)
        Notes(self.settings, self.owner).add(pending)
        try:
            target.put(seen)
        except PhotoError:
            formers.remove(self.job_id, former)
            self.drop(target, pending)
            raise
        self.done.append(pending)

    def drop(self, target: Rewriting, pending: Pending) -> None:
        """Leave nothing of a new file that is not to be."""
        target.clear()
        settle(self.settings, self.owner, self.library, self.root, [pending])

    def verify(self, target: Rewriting, pending: Pending, packet: bytes, wanted: Wanted) -> None:
        """Read the new file as a scan will, and compare: the same picture, the packet in it. Raises Unwritable."""
        self.step("verify")
        try:
            if not self.reads_back(target, pending, packet, wanted):
                raise Unwritable(SPOILT)
        except PhotoError:
            self.drop(target, pending)
            raise

    def reads_back(self, target: Rewriting, pending: Pending, packet: bytes, wanted: Wanted) -> bool:
        """Whether the new file shows the old picture and says what is wanted, as far as the old one lets it."""
        name, before, derived = display(pending.path), self.whole(pending.path), self.settings.derived / self.owner
        after = os.path.join(os.path.dirname(before), target.new)
        old = self.decode(before, None, name)
        share_derived(derived, pending.old, pending.new)
        new = self.decoder.decode(after, None, name)
        if (new.content_id, new.size) != (pending.new, pending.size):
            forget_derived(derived, new.content_id)
            return False
        with Source(target.new, target.folder) as source:
            there = inside(source, name).packet
        one, other = (self.decoder.rgb(path, LOOK, name) for path in (before, after))
        said = is_said(new.metadata, wanted, old.metadata) and there == packet == merged(packet, wanted)
        return said and facts(old) == facts(new) and np.array_equal(one, other)

    def writes(self) -> list[Write]:
        """The new contents of files and photos."""
        return writes_of(self.library, self.done)

    def settle(self) -> None:
        """Remove the old bytes, and the notes."""
        settle(self.settings, self.owner, self.library, self.root, self.done)
        self.done = []


def copies(main: Row, files: Sequence[Row]) -> list[Row]:
    """The main file and its copies, which have other names or lie elsewhere and are of the same kind.

    One that a former run did not come to has other bytes by now, so bytes do not tell.
    """
    ending = os.path.splitext(main["path"].lower())[1]
    others = [
        file
        for file in files
        if file["state"] == "ok"
        and file["source"] == main["source"]
        and file["file_id"] != main["file_id"]
        and file["kind"] == main["kind"]
        and (file["content_id"] == main["content_id"] or stem(file["path"]) != stem(main["path"]))
        and os.path.splitext(file["path"].lower())[1] == ending
    ]
    return [main, *others]


def pending_of(file: Row, written: Written) -> Pending:
    """What is noted of a file before it gets its new bytes."""
    return Pending(
        file["file_id"], file["photo_id"], file["path"], file["content_id"],
        written.content_id, written.size, written.mtime_ns,
    )  # fmt: skip


def facts(decoded: Decoded) -> tuple[object, ...]:
    """What writing metadata must not change."""
    return decoded.kind, decoded.format, decoded.width, decoded.height, decoded.flags, decoded.metadata.orientation
