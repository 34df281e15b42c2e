"""Derived pictures are whole or absent."""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from cluster.settings import MediaSettings
from serve_apps.media.box import setup_of
from serve_apps.media.derive import derive, is_there, squared, write
from serve_apps.media.picture import Picture, fitted

CONTENT = "ab" * 16


def test_a_reader_never_sees_half_a_picture(tmp_path: Path) -> None:
    """While a file is written again and again, whoever reads it reads all of it."""
    path, stop, torn = tmp_path / "a.jpg", threading.Event(), []
    write(path, b"a" * 1_000_000)

    def look() -> None:
        while not stop.is_set():
            found = path.read_bytes()
            if len(found) != 1_000_000 or len(set(found[::1000])) != 1:
                torn.append(len(found))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(100):
        write(path, bytes((number,)) * 1_000_000)
    stop.set()
    reader.join()
    assert torn == []


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The temporary file goes with the error."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "by").touch()
    with pytest.raises(OSError):
        write(tmp_path / "taken", b"data")
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2000, 30), (119, 121)])
def test_pictures_of_any_shape_have_their_thumbnails(tmp_path: Path, size: tuple[int, int]) -> None:
    """A line, a dot, and a panorama whose middle is a tiny square."""
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    picture = Picture(pixels=pixels, width=width, height=height)
    written = derive(picture, 1, CONTENT, setup_of(MediaSettings(), tmp_path), force=False)
    assert set(written) == {"preview", "big", "square", "small"}
    square = pyvips.Image.new_from_file(str(tmp_path / "ab" / f"{CONTENT}.square.webp"))
    assert square.width == square.height == min(*fitted(width, height, 1440), 250)


def test_the_square_is_the_middle(photo: Any) -> None:
    """As much is cut on the left as on the right."""
    assert (np.asarray(squared(Image.fromarray(photo), 240)) == photo[:, 60:300]).all()
    assert squared(Image.fromarray(photo), 100).size == (100, 100)


def test_only_what_is_missing_is_written(tmp_path: Path, photo: Any) -> None:
    """One lost thumbnail does not cost the others."""
    setup = setup_of(MediaSettings(), tmp_path)
    picture = Picture(pixels=photo, width=360, height=240)
    derive(picture, 1, CONTENT, setup, force=False)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    lost = tmp_path / "ab" / f"{CONTENT}.small.webp"
    lost.unlink()
    derive(picture, 1, CONTENT, setup, force=False)
    assert is_there(lost)
    assert all(path.stat().st_mtime_ns == when for path, when in files.items() if path != lost)
