"""ExifTool, which is the judge of metadata for everybody else, reads what was saved as it was set."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.batch.bench_of_one import Bench
from tests.batch.saved import BOX, JPEG, SavedLibrary
from tests.sample_library import SampleLibrary

EXIFTOOL = shutil.which("exiftool")
pytestmark = pytest.mark.skipif(not EXIFTOOL, reason="ExifTool is not installed (Debian: libimage-exiftool-perl)")
ENDINGS = {".jpg", ".heic", ".dng", ".mp4"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG, a HEIC, a DNG and an MP4, and a JPEG that lies on its side."""
    made = SavedLibrary(Bench(tmp_path_factory.mktemp("judged")))
    chosen = {Path(photo.main).suffix.lower(): photo.main for photo in sample.photos}
    turned = next(name for name in sample.orientations if sample.photo(name).orientation == 6)
    made.add(sample, JPEG, turned, *(chosen[ending] for ending in sorted(ENDINGS - {".jpg"})))
    made.bench.scan()
    made.tell()
    yield made
    made.bench.close()


def told(*arguments: str) -> list[dict[str, Any]]:
    """What ExifTool says of files."""
    command = [str(EXIFTOOL), "-j", "-struct", "-n", "-G1", *arguments]
    found: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def complaints(path: Path) -> list[int]:
    """What ExifTool finds wrong with a file: how many errors, warnings and minor warnings among them."""
    return [int(number) for number in told("-validate", str(path))[0]["ExifTool:Validate"].split()]


def expected(photo: dict[str, Any]) -> dict[str, Any]:
    """What ExifTool is to say of a photo."""
    wall = photo["taken_at"].timestamp() + 60 * (photo["taken_offset_min"] or 0)
    return {
        "XMP-xmp:Rating": 4,
        "XMP-dc:Title": "Best of 1",
        "XMP-dc:Description": "A cat & a <harbour>.",
        "XMP-dc:Subject": [*(photo["keywords"] or []), "tabby cat", "Harbour"],
        "wall": wall,
        "offset": photo["taken_offset_min"],
    }


def check(said: dict[str, Any], photo: dict[str, Any]) -> None:
    """ExifTool says of a photo what was set."""
    wanted = expected(photo)
    for key in ("XMP-xmp:Rating", "XMP-dc:Title", "XMP-dc:Description", "XMP-dc:Subject"):
        assert said[key] == wanted[key], key
    for key in ("latitude", "longitude"):
        assert said[f"XMP-exif:GPS{key.title()}"] == pytest.approx(photo[key], abs=1e-6)
    assert said["XMP-exif:GPSAltitude"] == pytest.approx(abs(photo["altitude"]), abs=1e-3)
    assert said["XMP-exif:GPSAltitudeRef"] == int(photo["altitude"] < 0)
    check_time(said, wanted)
    check_face(said["XMP-mwg-rs:RegionInfo"], photo)


def check_time(said: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The wall clock, with its offset where one is known."""
    minutes = wanted["offset"]
    sign = "" if minutes is None else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    wall = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wanted["wall"])
    for key in ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated"):
        assert said[key].startswith(f"{wall:%Y:%m:%d %H:%M:%S}")
        assert said[key].endswith(sign)


def check_face(regions: dict[str, Any], photo: dict[str, Any]) -> None:
    """The face, in the picture as it is stored."""
    (face,) = regions["RegionList"]
    width, height = photo["width"], photo["height"]
    middle, size = ((BOX["left"] + BOX["right"]) / 2, (BOX["top"] + BOX["bottom"]) / 2), (0.25, 0.25)
    if photo["orientation"] == 6:  # stored, it lies on its left side
        middle, (width, height) = (middle[1], 1 - middle[0]), (height, width)
    assert (face["Name"], face["Type"]) == ("Ada Lovelace", "Face")
    assert (face["Area"]["X"], face["Area"]["Y"]) == pytest.approx(middle, abs=1e-5)
    assert (face["Area"]["W"], face["Area"]["H"]) == pytest.approx(size, abs=1e-5)
    dimensions = regions["AppliedToDimensions"]
    assert (dimensions["W"], dimensions["H"], dimensions["Unit"]) == (width, height, "pixel")


def test_exiftool_reads_from_sidecars_and_files_what_was_set(library: SavedLibrary):
    """First beside, then inside: all of it, and the files are no worse than they were."""
    folder = library.bench.folder
    photos = {folder / row["name"]: row for row in library.bench.library.photos.rows().to_pylist()}
    before = {path: complaints(path) for path in photos}
    assert {path.suffix.lower() for path in photos} == ENDINGS

    assert library.save(in_file=False).failed == {}
    for path, photo in photos.items():
        check(told(f"{path}.xmp")[0], photo)
        assert complaints(Path(f"{path}.xmp")) == [0, 0, 0]

    assert library.save(in_file=True).failed == {}
    for path, photo in photos.items():
        check(told("-XMP:all", str(path))[0], photo)
        assert all(now <= then for now, then in zip(complaints(path), before[path], strict=True))
