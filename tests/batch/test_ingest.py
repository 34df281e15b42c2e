"""Groups of files become photos; what a hostile file does to its decoder costs that file and no other."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import skimage.data
from PIL import Image

from batch.ingest import INGESTED, PLACE_COLUMNS, FileSeen, Geocode, Group, Ingest, Ingested
from batch.rows import media_row
from cluster.settings import MediaSettings
from cluster.store.files import FOLDER

CHILD = (str(Path(__file__).resolve().parents[1] / "serve_apps" / "media" / "misbehaving_child.py"),)
LIMITS = {"wall_s": 3, "memory_mb": 512}
POISON = ("segfault-1.jpg", "hang-1.jpg", "hog-1.jpg")  # what misbehaving_child.py goes by


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve good photos, with three among them that make a decoder crash, hang and eat memory."""
    root = tmp_path / "photos"
    root.mkdir()
    for number in range(12):
        Image.fromarray(skimage.data.chelsea()[number:]).save(root / f"good{number:02d}.jpg")
    for name in POISON:
        (root / name).write_bytes((root / "good00.jpg").read_bytes())
    return root


@pytest.fixture
def step(tmp_path: Path, folder: Path) -> Iterator[Callable[..., Ingest]]:
    """Makes the step of that folder; its child ends with the test."""
    with ExitStack() as opened:

        def make(**settings: Any) -> Ingest:
            media = MediaSettings(**LIMITS, **settings).model_dump_json()
            made = Ingest(media, os.fsencode(folder), str(tmp_path / "derived"))
            opened.callback(made.close)
            return made

        yield make


def groups(root: Path, *names: tuple[str, ...]) -> pa.Table:
    """A row for each photo, of the named files."""
    rows = []
    for files in names:
        seen = [FileSeen(os.fsencode(name), kind(name), 1, 1, changed=True) for name in files]
        rows.append(msgspec.msgpack.encode(Group(seen)))
    return pa.table({"group": pa.array(rows, pa.binary())})


def kind(name: str) -> str:
    """A file's kind by its ending."""
    return {".jpg": "image", ".dng": "raw", ".mov": "video", ".xmp": "xmp"}[Path(name).suffix]


def ingested(batches: Any) -> dict[str, Ingested]:
    """What became of each group by its first file."""
    read = [INGESTED.decode(row) for batch in batches for row in batch["ingested"].to_pylist()]
    return {os.fsdecode(one.files[0].seen.path): one for one in read}


def test_crashing_hanging_and_memory_eating_files_fail_alone(folder: Path, step: Callable[..., Ingest]):
    """The three fail with a sentence each, and every other photo of their batch is there."""
    names = sorted(path.name for path in folder.iterdir())
    found = ingested([Geocode()(step(child=CHILD)(groups(folder, *[(name,) for name in names])))])

    assert set(found) == set(names)
    failed = {name: one.files[0].error for name, one in found.items() if one.decoded is None}
    assert set(failed) == set(POISON)
    assert all(len(reason.split()) > 5 for reason in failed.values())


def test_when_the_main_file_is_broken_the_next_variant_stands_for_the_photo(folder: Path, step: Callable[..., Ingest]):
    """A torn JPEG beside its video: the video is what people see, and the JPEG's reason is kept."""
    (folder / "a_torn.jpg").write_bytes(b"")

    (one,) = ingested([step()(groups(folder, ("a_torn.jpg", "good03.jpg")))]).values()

    assert one.main == b"good03.jpg"
    assert one.decoded is not None
    assert [bool(file.error) for file in one.files] == [True, False]


def test_places_are_found_only_where_there_are_coordinates():
    """The row without them stays without a place."""
    batch = pa.table({"latitude": [48.8584, None], "longitude": [2.2945, None]})

    after = Geocode()(batch)

    assert after["country"].to_pylist() == ["France", ""]
    assert after["country_code"].to_pylist() == ["FR", ""]


def test_a_known_variant_is_not_opened_again(step: Callable[..., Ingest]):
    """A RAW that did not change beside a new sidecar keeps its content id without being read."""
    seen = [
        FileSeen(b"good01.jpg", "image", 1, 1, changed=True),
        FileSeen(b"away.dng", "raw", 1, 1, changed=False, content_id="ab" * 16),
    ]
    table = pa.table({"group": pa.array([msgspec.msgpack.encode(Group(seen))], pa.binary())})

    (one,) = ingested([step()(table)]).values()

    assert [file.content_id for file in one.files][1] == "ab" * 16
    assert not one.files[1].error


def test_a_photos_row_says_what_its_derived_pictures_take(tmp_path: Path, step: Callable[..., Ingest]):
    """The sum of the sizes of the files, also when they were there already; and it has a placeholder for them."""
    for _ in range(2):
        (one,) = ingested([step()(groups(tmp_path / "photos", ("good04.jpg",)))]).values()
        row = media_row(FOLDER, "photo", one, dict.fromkeys(PLACE_COLUMNS, ""), "job", datetime.now(UTC))

        pictures = [path for path in (tmp_path / "derived").rglob("*") if path.is_file()]
        assert len(pictures) == 4
        assert row["derived_bytes"] == sum(path.stat().st_size for path in pictures)
        assert len(row["placeholder"]) == 32
