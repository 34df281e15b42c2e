"""A photo's metadata in the XMP sidecar beside it: merged into the one that is there, else in a new one.

Leaves out the text of a packet (serve_apps/media/xmp_write.py).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from batch import rows
from batch.former import Former, Formers
from batch.ingest import FileRead, FileSeen
from batch.rewriting import CHANGED, Rewriting, Written, folder_of
from batch.rows import Row
from batch.targets import GONE, SPOILT, Target, main_of, must_be_as_known
from batch.variants import SIDECAR, sidecar_of
from cluster.errors import PhotoError, Unwritable
from cluster.store.files import FOLDER
from cluster.store.files import SCHEMA as FILES
from cluster.store.paths import display, file_id
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Update, Upsert, Write
from serve_apps.media import xmp
from serve_apps.media.inside import inside
from serve_apps.media.source import Source
from serve_apps.media.xmp import MAX_PACKET, TOO_LONG
from serve_apps.media.xmp_write import Wanted, merged

READ_ONLY = "its sidecar is read-only; allow writing to it, or write into the file instead (--in-file)"


@dataclass
class Beside(Target):
    """The sidecar beside a photo: the one that is there, else a new one of the file's whole name."""

    done: list[tuple[bytes, Row]] = field(default_factory=list)
    variants: list[Row] = field(default_factory=list)

    def save(self, photo: Row, files: Sequence[Row], wanted: Wanted) -> bool:
        """Write the sidecar unless all is said."""
        main = main_of(photo, files)
        known = {file["path"]: file for file in files if file["kind"] == SIDECAR and file["state"] == "ok"}
        there = sidecar_of(main["path"], [FileSeen(path, SIDECAR, 0, 0, changed=False) for path in known])
        path = there or main["path"] + b".xmp"
        with folder_of(self.root, path) as folder:
            like = stat_of(folder, main)
            target = Rewriting(folder, os.path.basename(path), self.step)
            target.clear()
            if there is None:
                self.must_be_free(target, main["path"], photo["photo_id"])
                written = self.written(target, main, b"", None, like, wanted)
            else:
                with Source(target.name, folder) as source:
                    must_be_as_known(source, known[path])
                    packet, _ = source.read(MAX_PACKET, TOO_LONG)
                    written = self.written(target, main, packet, source, os.fstat(source.fd), wanted)
        if written:
            self.note(photo, files, path, written)
        return written is not None

    def must_be_free(self, target: Rewriting, main: bytes, photo_id: str) -> None:
        """Raise Unwritable when there is a sidecar that no scan has seen: what it says is not known."""
        by_stem = os.path.splitext(main)[0] + b".xmp"
        known = self.library.files.get(file_id(FOLDER, by_stem))
        others = known is not None and known["photo_id"] not in ("", photo_id)
        unseen = target.stat(os.path.basename(by_stem)) is not None and not others
        if unseen or target.stat(target.name) is not None:
            raise Unwritable(CHANGED)

    def written(
        self, target: Rewriting, photo: Row, packet: bytes, source: Source | None, like: os.stat_result, wanted: Wanted
    ) -> Written | None:
        """Write the sidecar of a photo's file; None when there is nothing to write."""
        new, main = merged(packet, wanted), photo["path"]
        path = os.path.join(os.path.dirname(main), target.name)
        if new == packet or self.is_known(main, path if source else None, [packet, inner(target, main)], wanted):
            return None
        if source:
            target.must_be_writable(like, READ_ONLY)
        written = target.write([new], like, source)
        self.step("verify")
        with Source(target.new, target.folder) as back:
            data, content_id = back.read(MAX_PACKET, TOO_LONG)
        if data != new or content_id != written.content_id or merged(data, wanted) != data:
            target.clear()
            raise Unwritable(SPOILT)
        old = sha256(packet).hexdigest()[:32] if source else ""
        former = Former(photo["photo_id"], path, sidecar=True, old=old, new=written.content_id,
                        pieces=[packet] if source else None)  # fmt: skip
        self.put(target, former, like if source else None)
        return written

    def put(self, target: Rewriting, former: Former, seen: os.stat_result | None) -> None:
        """Put a sidecar in place, once what was there is kept."""
        formers = Formers(self.settings, self.owner)
        formers.add(self.job_id, former)
        try:
            target.put(seen)
        except PhotoError:
            formers.remove(self.job_id, former)
            raise

    def note(self, photo: Row, files: Sequence[Row], path: bytes, written: Written) -> None:
        """Remember what the library must be told of a sidecar."""
        seen = FileSeen(path, SIDECAR, written.size, written.mtime_ns, changed=True)
        row = rows.known_row(FOLDER, FileRead(seen, written.content_id), photo["photo_id"], self.job_id, rows.now_utc())
        together = [*(file for file in files if file["file_id"] != row["file_id"]), row]
        self.done.append((path, row))
        self.variants.append({"photo_id": photo["photo_id"], **rows.variant_columns(together)})

    def writes(self) -> list[Write]:
        """The sidecars' rows: a scan has nothing to read in them."""
        if not self.done:
            return []
        files = rows_of([row for _, row in self.done], FILES)
        return [Update("photos", changes_of(self.variants, PHOTOS)), Upsert("files", files)]

    def settle(self) -> None:
        """Remove the old bytes."""
        for path, _ in self.done:
            with suppress(PhotoError), folder_of(self.root, path) as folder:
                Rewriting(folder, os.path.basename(path), self.step).clear()
        self.done, self.variants = [], []


def stat_of(folder: int, main: Row) -> os.stat_result:
    """What a photo's file is; raises Unwritable when it is not there, or is another one since a scan read it."""
    try:
        seen = os.stat(os.path.basename(main["path"]), dir_fd=folder, follow_symlinks=False)
    except OSError:
        raise Unwritable(GONE) from None
    if (seen.st_size, seen.st_mtime_ns) != (main["size"], main["mtime_ns"]):
        raise Unwritable(CHANGED)
    return seen


def inner(target: Rewriting, main: bytes) -> bytes:
    """The packet inside a photo's file; empty when there is none, or none that can be read."""
    try:
        with Source(os.path.basename(main), target.folder) as source:
            packet = inside(source, display(main)).packet
            xmp.read(packet)
            return packet
    except PhotoError:
        return b""
