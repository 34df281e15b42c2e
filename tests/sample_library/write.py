"""Writes the plan into a folder, and says what should be found there."""

import os
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from PIL.Image import Image

from tests.sample_library.encode import dng, picture_bytes, stored
from tests.sample_library.metadata import coordinates, exif_bytes, exif_of, xmp_text
from tests.sample_library.plan import BURSTS, CLIP_S, ORIENTATIONS, Shot, shots
from tests.sample_library.truth import ExpectedPhoto, Kind, SampleLibrary
from tests.sample_library.unhappy import FAILED, SKIPPED, write_unhappy
from tests.sample_library.video import SIZE, iso6709, write_mov, write_mp4

RESTORED = datetime(2025, 1, 1, tzinfo=UTC)  # every file's time: a restored backup says nothing about its photos
KEPT_SHARE = 0.6  # of a truncated file: the upper part of its picture can be seen
KINDS: dict[str, Kind] = {".dng": "raw", ".mp4": "video", ".mov": "video"}


def write_sample_library(folder: Path) -> SampleLibrary:
    """Write the sample library into a new or empty folder and tell what is true of it.

    Raises FileExistsError when there is something in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name a new folder for the sample library")
    planned = tuple(shots())
    photos = tuple(write_shot(folder, shot) for shot in planned)
    write_unhappy(folder)
    for path in FAILED:
        date_file(folder / path, RESTORED)
    return SampleLibrary(
        folder, photos, FAILED, SKIPPED,
        queries={query: shot.path for shot in planned for query in shot.queries},
        bursts=tuple(tuple(shot.path for shot in burst) for burst in BURSTS),
        orientations=tuple(shot.path for shot in ORIENTATIONS),
        text={shot.path: shot.words for shot in planned if shot.words},
    )  # fmt: skip


def write_shot(folder: Path, shot: Shot) -> ExpectedPhoto:
    """Write all files of a photo; what should be found of it."""
    main = PurePosixPath(shot.path)
    picture = shot.picture.render()
    written = [shot.path]
    write_media(folder / main, picture, shot)
    for suffix in shot.variants:
        written.append(str(main.with_suffix(suffix)))
        write_media(folder / written[-1], picture, shot)
    if shot.sidecar:
        written.append(shot.path + ".xmp" if shot.sidecar.full_name else str(main.with_suffix(".xmp")))
        (folder / written[-1]).write_text(xmp_text(shot.sidecar), encoding="utf-8")
    for copy in shot.copies:
        written.append(copy)
        (folder / copy).parent.mkdir(parents=True, exist_ok=True)
        (folder / copy).write_bytes((folder / main).read_bytes())
    for path in written:
        date_file(folder / path, shot.taken if shot.source == "mtime" else RESTORED)
    return expected(shot, picture, tuple(written))


def write_media(path: Path, picture: Image, shot: Shot) -> None:
    """Write one picture or video of a photo, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match path.suffix.lower():
        case ".dng":
            content = dng(picture, exif_of(shot))
        case ".mov":
            return write_mov(path, picture, CLIP_S, apple_keys(shot), shot.taken)
        case ".mp4":
            return write_mp4(path, picture, CLIP_S, location(shot), shot.taken)
        case suffix:
            content = picture_bytes(stored(picture, shot.orientation), suffix, exif_bytes(shot))
    keep = int(len(content) * KEPT_SHARE) if "truncated" in shot.flags else len(content)
    path.write_bytes(content[:keep])
    return None


def apple_keys(shot: Shot) -> dict[str, str]:
    """What an iPhone writes into a MOV."""
    keys = {"creationdate": f"{shot.taken:%Y-%m-%dT%H:%M:%S%z}"}
    if shot.camera:
        keys |= {"make": shot.camera.make, "model": shot.camera.model}
    if shot.place:
        keys["location.ISO6709"] = location(shot)
    return keys | ({"content.identifier": shot.live_id} if shot.live_id else {})


def location(shot: Shot) -> str:
    """Where it was taken, as videos say it; nothing when it has no place."""
    return iso6709(*coordinates(shot), shot.place.altitude) if shot.place else ""


def expected(shot: Shot, picture: Image, files: tuple[str, ...]) -> ExpectedPhoto:
    """What should be found of a photo whose files were written."""
    kind = KINDS.get(PurePosixPath(shot.path).suffix.lower(), "image")
    width, height = {"image": picture.size, "raw": (picture.width & ~1, picture.height & ~1), "video": SIZE}[kind]
    latitude, longitude = coordinates(shot) if shot.place else (None, None)
    return ExpectedPhoto(
        shot.path, kind, files, width, height,
        taken_at=shot.taken.astimezone(UTC), taken_offset_min=shot.offset_min, taken_source=shot.source,
        camera=shot.camera, place=shot.place, latitude=latitude, longitude=longitude, orientation=shot.orientation,
        people=shot.picture.people, strangers=shot.strangers, sidecar=shot.sidecar, live_id=shot.live_id,
        duration_s=CLIP_S if kind == "video" else None, flags=shot.flags,
    )  # fmt: skip


def date_file(path: Path, when: datetime) -> None:
    """Set a file's times."""
    os.utime(path, (when.timestamp(), when.timestamp()))
