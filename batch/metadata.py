"""What is known of photos written back: rating, title, caption, words, named faces, place and time, as XMP.

Into a sidecar beside each photo, or into the file itself; verified before it is put in place, and only where it is not
said already. Leaves out the text of a packet and where formats keep it (serve_apps/media), how a file is replaced
(rewriting.py), and what the library must be told (saving.py).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
from lancedb.expr import col, lit

from batch import rows
from batch.beside import Beside
from batch.faces import by_photo
from batch.inside import Inside
from batch.plan import MOST_NAMES, Plan
from batch.rewriting import Step
from batch.rows import Row
from batch.saving import repair
from batch.sink import Commits
from batch.targets import Target
from batch.turns import SAVE_METADATA
from batch.work import sized
from cluster.errors import PhotoError
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.faces import LABELED
from cluster.store.facts import DELETE, REJECT
from cluster.store.people import PERSON
from cluster.store.schema import rows_of
from cluster.store.writer import Upsert
from serve_apps.media.box import Decoder
from serve_apps.media.inside import is_possible
from serve_apps.media.protocol import Region
from serve_apps.media.xmp_write import Wanted, overlaps

AT_ONCE = 64  # photos whose rows are committed together
SOURCES = ("exif", "quicktime", "xmp")  # of times that somebody wrote; a name or an mtime is a guess
SAID = ("rating", "title", "caption", "tags", "keywords", "regions", "latitude", "taken_at")
SIDES = ("left", "top", "right", "bottom")
Named: TypeAlias = Callable[[Sequence[str]], Mapping[str, list[Region]]]  # photo ids -> their named faces, upright


class Saved(msgspec.Struct):
    """What was done to photos."""

    written: int = 0
    unchanged: int = 0
    failed: dict[str, str] = {}  # name -> why


class SaveMetadata:
    """Writes the metadata of one library's photos back."""

    def __init__(
        self,
        settings: Settings,
        owner: str,
        library: Library,
        writer: Commits,
        root: Path,
        in_file: bool,
        job_id: str,
        stopped: Callable[[], bool],
        advance: Callable[[int, int], object],
        named: Named | None = None,
        step: Step = lambda name: None,
    ) -> None:
        """`root` is the owner's folder; `advance` is told of photos (done, failed), `step` of what is done next."""
        self.settings, self.owner, self.library, self.writer, self.root = settings, owner, library, writer, root
        self.in_file, self.job_id, self.stopped, self.advance, self.step = in_file, job_id, stopped, advance, step
        self.named = named or (lambda photo_ids: labeled(library, photo_ids))

    def all(self, photo_ids: Sequence[str] | None = None) -> Saved:
        """Write what is not said yet of all photos that are there, or of some; until somebody stops it."""
        repair(self.settings, self.owner, self.library, self.writer, self.root)
        saved = Saved()
        with Decoder(self.settings.media, self.settings.derived / self.owner) as decoder:
            kind = Inside if self.in_file else Beside
            place = kind(
                self.settings, self.owner, self.library, os.fsencode(self.root), self.job_id, decoder, self.step
            )
            ids = present(self.library, photo_ids)
            for start in range(0, len(ids), AT_ONCE):
                self.some(ids[start : start + AT_ONCE], place, saved)
                if self.stopped():
                    break
        return saved

    def place(self, decoder: Decoder) -> Target:
        """Where it is written."""
        kind = Inside if self.in_file else Beside
        root = os.fsencode(self.root)
        return kind(self.settings, self.owner, self.library, root, self.job_id, decoder, self.step)

    def some(self, photo_ids: Sequence[str], place: Target, saved: Saved) -> None:
        """Write some photos, and commit what the library must know of it."""
        photos = self.library.photos.by_keys(photo_ids).to_pylist()
        files = by_photo(self.library.files.of_photos(photo_ids).to_pylist())
        facts = by_photo(self.library.facts.of_photos(photo_ids).to_pylist())
        faces, failures = self.named(photo_ids), list[Row]()
        for photo in photos:
            if self.stopped():
                break
            try:
                wanted = wanted_of(photo, faces.get(photo["photo_id"], []), facts[photo["photo_id"]])
                changed = place.save(photo, files.get(photo["photo_id"], []), wanted)
            except PhotoError as error:
                saved.failed[photo["name"]] = str(error)
                failures.append(failure(self.job_id, photo, str(error)))
                self.advance(0, 1)
                continue
            saved.written += changed
            saved.unchanged += not changed
            self.advance(1, 0)
        uncounted = [photo for photo in photos if not photo["derived_bytes"] and photo["content_id"] in place.pictures]
        remade = [(photo["photo_id"], place.pictures[photo["content_id"]]) for photo in uncounted]
        self.commit(place, failures, remade)

    def commit(self, place: Target, failures: list[Row], remade: Sequence[tuple[str, int]]) -> None:
        """Commit what was done, and only then let go of what it replaced.

        `remade` are photos whose derived pictures had been cleared, and the bytes of those made on the way.
        """
        told = [Upsert("errors", rows_of(failures, self.library.errors.schema))] if failures else []
        if writes := [*place.writes(), *sized(remade), *told]:
            self.step("commit")
            self.writer.commit(writes)
        self.step("settle")
        place.settle()


def failure(job_id: str, photo: Row, reason: str) -> Row:
    """A photo's failure in `errors`."""
    return rows.failure(
        job_id, photo["main_file_id"], photo["photo_id"], photo["name"], SAVE_METADATA, reason, rows.now_utc()
    )


def present(library: Library, photo_ids: Sequence[str] | None) -> list[str]:
    """The photos whose files are there, all or of some, folder by folder."""
    where = ~col("missing")
    found = library.photos.rows(where, ["photo_id", "name"]).to_pylist()
    wanted = None if photo_ids is None else set(photo_ids)
    here = [row for row in found if wanted is None or row["photo_id"] in wanted]
    return [row["photo_id"] for row in sorted(here, key=lambda row: row["name"])]


def wanted_of(photo: Row, named: Sequence[Region], facts: Sequence[Row]) -> Wanted:
    """What is to be said of a photo. Once its faces were looked for, those named are all: files' own are among them."""
    looked = photo["faces_rev"] and not photo["faces_error"]
    said = [] if looked else [box_of(one, one["name"]) for one in photo["regions"] or []]
    denied = [box_of(fact) for fact in facts if looked and fact["kind"] in (REJECT, DELETE)]
    dated = photo["taken_source"] in SOURCES
    same = ("rating", "title", "caption", "latitude", "longitude", "altitude", "width", "height", "orientation")
    return Wanted(
        keywords=photo["keywords"] or [],
        tags=photo["tags"] or [],
        regions=[*named, *(one for one in said if not overlaps(one, named))],
        refused=[one for one in denied if not overlaps(one, named)],
        taken_at=photo["taken_at"] if dated else None,
        taken_offset_min=photo["taken_offset_min"] if dated else None,
        **{name: photo[name] for name in same},
    )


def labeled(library: Library, photo_ids: Sequence[str]) -> dict[str, list[Region]]:
    """The faces of some photos that are surely somebody's who has a name."""
    faces = library.faces.of_photos(photo_ids, ["photo_id", "person_id", "standing", *SIDES]).to_pylist()
    sure = [face for face in faces if face["standing"] == LABELED and face["person_id"]]
    people = {key: library.people.person(key) for key in {face["person_id"] for face in sure}}
    found: dict[str, list[Region]] = {}
    for face in sorted(sure, key=lambda face: (face["left"], face["top"])):
        if (person := people[face["person_id"]]).kind == PERSON and person.name:
            found.setdefault(face["photo_id"], []).append(box_of(face, person.name))
    return found


def box_of(row: Row, name: str = "") -> Region:
    """A row's box as a region."""
    return Region(name, *(min(1.0, max(0.0, row[side])) for side in SIDES))


def foresee(library: Library, in_file: bool) -> Plan:
    """Which photos would be looked at, and how many bytes rewritten at most; those that say all already stay."""
    photos = library.photos.rows(~col("missing"), ["photo_id", "name", "size", *SAID]).to_pylist()
    faces = library.faces.rows(col("standing") == lit(LABELED), ["photo_id"])
    named = set(faces["photo_id"].to_pylist())
    telling = [
        photo
        for photo in photos
        if photo["photo_id"] in named or any(photo[name] not in (None, "", []) for name in SAID)
    ]
    able = [photo for photo in telling if not in_file or is_possible(photo["name"])]
    counts = {"photos": len(able), "not possible": len(telling) - len(able)}
    names = sorted(photo["name"] for photo in able)[:MOST_NAMES]
    size = sum(photo["size"] for photo in able) if in_file else 0
    return Plan(action=SAVE_METADATA, counts=counts, names=names, bytes=size)
