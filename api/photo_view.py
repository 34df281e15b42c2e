"""Photos as people see them: a line of a page, and one photo with everything known of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from batch.faces import Roster
from cluster.store.database import Library
from cluster.store.files import NEXTCLOUD
from cluster.store.photos import STAGES

SIZES = {"preview": "jpg", "big": "webp", "square": "webp", "small": "webp"}  # derived pictures and their endings


class PhotoSummary(msgspec.Struct, frozen=True):
    """A photo as a line of a page."""

    photo_id: str
    name: str  # path of the main file below the scan directory, as far as it is readable text
    kind: str  # image, raw, video
    width: int  # pixels, upright
    height: int
    duration_s: float | None
    taken_at: datetime | None  # UTC
    taken_offset_min: int | None  # minutes east of UTC where it was taken
    place: str
    country: str
    caption: str
    rating: int | None
    face_count: int
    variants: int  # files, sidecars too
    has_raw: bool
    has_live: bool
    missing: bool
    thumbnails: dict[str, str]  # addresses by size; empty while there are none
    placeholder: str  # the photo as 4 x 4 pixels of 12 bits, row by row, as base64; empty where nobody made any


class Position(msgspec.Struct, frozen=True):
    """Where a photo was taken: degrees, and metres above the sea."""

    latitude: float
    longitude: float
    altitude: float | None


class Place(msgspec.Struct, frozen=True):
    """The names of where a photo was taken, empty where unknown."""

    place: str
    county: str
    state: str
    country: str
    country_code: str


class Exif(msgspec.Struct, frozen=True):
    """What the camera noted."""

    camera_make: str
    camera_model: str
    lens: str
    iso: int | None
    f_number: float | None
    exposure_s: float | None
    focal_mm: float | None
    orientation: int


class Region(msgspec.Struct, frozen=True):
    """A named part of the picture from a sidecar; edges as fractions of the upright picture."""

    name: str
    left: float
    top: float
    right: float
    bottom: float


class Face(msgspec.Struct, frozen=True):
    """A face and whose it is; edges as fractions of the upright picture."""

    face_id: str
    left: float
    top: float
    right: float
    bottom: float
    score: float
    person_id: str  # empty: nobody's
    name: str  # of that person; empty of a cluster
    standing: str  # labeled, inferred, unknown
    probability: float  # that it is that person's; 1 of labeled ones
    origin: str  # empty: detected; user or xmp: somebody drew it


class ScoredTag(msgspec.Struct, frozen=True):
    """A tag and how sure its model is."""

    label: str
    score: float


class Variant(msgspec.Struct, frozen=True):
    """One of a photo's files."""

    file_id: str
    name: str
    kind: str  # image, raw, video, xmp
    size: int  # bytes
    state: str  # ok, failed, missing
    error: str
    main: bool
    original: str  # the address of its bytes
    origin: str  # its path on the owner's Nextcloud, "" for one of their folder


class StageState(msgspec.Struct, frozen=True):
    """What the ledger says of one stage: by which revision it was done, or what went wrong."""

    name: str
    revision: str  # empty: still to do
    error: str


class PhotoDetail(msgspec.Struct, frozen=True):
    """One photo with everything known of it."""

    photo: PhotoSummary
    size: int  # bytes of the main file
    taken_source: str  # exif, quicktime, xmp, name, mtime
    title: str
    caption_by: str  # the model, or `template`
    ocr: str
    keywords: list[str]
    flags: list[str]
    tags: list[ScoredTag]
    position: Position | None
    place: Place
    exif: Exif
    regions: list[Region]
    faces: list[Face]
    variants: list[Variant]
    stages: list[StageState]
    added_at: datetime
    changed_at: datetime


def summary(row: Mapping[str, Any]) -> PhotoSummary:
    """A row of photos as a line of a page."""
    return msgspec.convert({**row, "thumbnails": thumbnails(row)}, PhotoSummary)


def thumbnails(row: Mapping[str, Any]) -> dict[str, str]:
    """Addresses of a photo's derived pictures. They name the content, so that they may be kept for ever."""
    if not row["media_rev"] or row["media_error"]:
        return {}
    return {size: f"/api/photos/{row['photo_id']}/thumbnail/{size}?v={row['content_id']}" for size in SIZES}


def detail(library: Library, row: Mapping[str, Any]) -> PhotoDetail:
    """A row of photos with its files and faces; blocks."""
    photo_id = row["photo_id"]
    files = library.files.of_photos([photo_id]).to_pylist()
    parts: dict[str, Any] = {
        "photo": summary(row),
        "tags": [ScoredTag(*pair) for pair in zip(row["tags"], row["tag_scores"], strict=False)],
        "position": position(row),
        "place": msgspec.convert(row, Place),
        "exif": msgspec.convert(row, Exif),
        "regions": [msgspec.convert(region, Region) for region in row["regions"]],
        "faces": faces(library, photo_id),
        "variants": variants(library, row, files),
        "stages": [StageState(stage, row[f"{stage}_rev"], row[f"{stage}_error"]) for stage in STAGES],
    }
    return msgspec.convert({**row, **parts}, PhotoDetail)


def faces(library: Library, photo_id: str) -> list[Face]:
    """The faces of a photo; blocks."""
    rows, roster = library.faces.of_photos([photo_id]).sort_by("face_id").to_pylist(), Roster(library)
    people = library.people.of_ids([roster.who(row["person_id"]) for row in rows])
    names = {person_id: person.name for person_id, person in people.items()}
    whose = [roster.who(row["person_id"]) for row in rows]
    return [
        msgspec.convert(
            {**row, "person_id": who, "name": names.get(who, ""), "standing": row["standing"] or "unknown"}, Face
        )
        for row, who in zip(rows, whose, strict=True)
    ]


def position(row: Mapping[str, Any]) -> Position | None:
    """Where a photo was taken, if that is known."""
    return msgspec.convert(row, Position) if row["latitude"] is not None and row["longitude"] is not None else None


def variants(library: Library, row: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """A photo's files, the main one first."""
    fetched = [file["path"] for file in files if file["source"] == NEXTCLOUD]
    origins = library.remotes.origins(fetched) if fetched else {}
    made = [variant(row, file, origins if file["source"] == NEXTCLOUD else {}) for file in files]
    return sorted(made, key=lambda one: (not one.main, one.name))


def variant(row: Mapping[str, Any], file: Mapping[str, Any], origins: Mapping[bytes, str]) -> Variant:
    """A row of files as one of a photo's files."""
    address = f"/api/photos/{row['photo_id']}/original?file_id={file['file_id']}"
    facts = {name: file[name] for name in ("file_id", "name", "kind", "size", "state", "error")}
    main, origin = file["file_id"] == row["main_file_id"], origins.get(file["path"], "")
    return Variant(**facts, main=main, original=address, origin=origin)
