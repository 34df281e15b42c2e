"""The services for files, seen as models."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import piexif
import pytest
import simplejpeg

from serve_apps.media.protocol import Decoded
from serve_apps.models.media_models import KEPT, MediaRequest
from serve_apps.models.protocol import Image


@pytest.fixture(scope="module")
def folder(photos: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo with a camera and a time, one without, and a text that says it is a photo."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("coffee", "chelsea"):
        (folder / f"{name}.jpg").write_bytes(simplejpeg.encode_jpeg(photos[name]))
    facts = {"0th": {piexif.ImageIFD.Make: b"Kodak"}, "Exif": {piexif.ExifIFD.DateTimeOriginal: b"2019:08:07 06:05:04"}}
    piexif.insert(piexif.dump(facts), str(folder / "coffee.jpg"))
    (folder / "text.jpg").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def thumbnail(loaded: Callable[..., Any]) -> Any:
    model = loaded("thumbnail", options={"media": {"big_px": 400}})
    yield model
    for decoder in model.decoders.values():
        decoder.close()


def asked(path: Path, derived: Path, **fields: Any) -> MediaRequest:
    return MediaRequest(os.fsencode(path), str(derived), **fields)


def test_a_file_at_fault_costs_its_neighbours_nothing(thumbnail: Any, folder: Path, tmp_path: Path) -> None:
    """Each file is answered in its place: decoded, or a sentence why not."""
    names = ("coffee.jpg", "text.jpg", "chelsea.jpg")

    coffee, text, chelsea = thumbnail.predict([asked(folder / name, tmp_path) for name in names])

    assert isinstance(coffee, Decoded)
    assert isinstance(chelsea, Decoded)
    assert (coffee.width, coffee.height) == (600, 400)
    assert isinstance(text, str)
    assert len(text) > 10


def test_derived_pictures_are_written_as_the_settings_say(thumbnail: Any, folder: Path, tmp_path: Path) -> None:
    """Under the owner's folder, by the photo's content."""
    (coffee,) = thumbnail.predict([asked(folder / "coffee.jpg", tmp_path)])

    written = {path.name.split(".")[1]: path.stat().st_size for path in tmp_path.rglob("*.*")}
    assert written == coffee.derived
    assert set(written) == {"preview", "big", "square", "small"}


def test_the_decoders_of_a_few_owners_are_kept(thumbnail: Any, folder: Path, tmp_path: Path) -> None:
    """One more owner ends the child of the one longest unused, and each owner's pictures are in their own folder."""
    owners = [tmp_path / str(number) for number in range(KEPT + 2)]

    answers = thumbnail.predict([asked(folder / "coffee.jpg", owner) for owner in owners])

    assert len(thumbnail.decoders) == KEPT
    assert all(isinstance(answer, Decoded) for answer in answers)
    assert all(any(owner.rglob("*.preview.jpg")) for owner in owners)


def test_facts_are_read(loaded: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    """Time and camera of a photo that has them; a sentence for a file that cannot be read."""
    model = loaded("exif")

    facts, none, fault = model.predict(
        [asked(folder / name, tmp_path) for name in ("coffee.jpg", "chelsea.jpg", "text.jpg")]
    )

    for decoder in model.thumbnails.decoders.values():
        decoder.close()
    assert facts.camera_make == "Kodak"
    assert (facts.taken_at.year, facts.taken_source) == (2019, "exif")
    assert none.camera_make == ""
    assert isinstance(fault, str)
