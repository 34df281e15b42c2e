"""Derived pictures are whole or absent."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from cluster.errors import StoreError
from cluster.settings import MediaSettings
from serve_apps.media.addresses import EXTENSIONS, derived_path
from serve_apps.media.box import Decoder, setup_of
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


def test_what_a_killed_child_left_is_removed(tmp_path: Path, photo: Any) -> None:
    """Unfinished files of the same picture go if nobody writes them any more, and no others."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder, here = tmp_path / "ab", os.getppid()
    folder.mkdir()
    names = {
        "dead": f".{CONTENT}.big.webp.{gone.pid}.tmp",
        "old": f".{CONTENT}.small.webp.{here}.tmp",
        "busy": f".{CONTENT}.preview.jpg.{here}.tmp",
        "another's": f".ab{'cd' * 15}.big.webp.{gone.pid}.tmp",
    }
    for name in names.values():
        (folder / name).write_bytes(b"half")
    os.utime(folder / names["old"], (0, 0))
    derive(Picture(pixels=photo, width=360, height=240), 1, CONTENT, setup_of(MediaSettings(), tmp_path), force=False)
    assert {name for name in os.listdir(folder) if name[0] == "."} == {names["busy"], names["another's"]}


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path, photo: Any) -> None:
    """It is not about the picture."""
    (tmp_path / "ab").touch()
    picture = Picture(pixels=photo, width=360, height=240)
    with pytest.raises(StoreError, match=r"derived pictures cannot be written \(File exists\)"):
        derive(picture, 1, CONTENT, setup_of(MediaSettings(), tmp_path), force=False)


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


def test_derived_pictures_have_their_sizes(tmp_path: Path, jpeg_bytes: Any, photo: Any) -> None:
    """Each is at most as large as the settings say, in the picture's shape; the square one is the middle."""
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg_bytes(np.asarray(Image.fromarray(photo).resize((1800, 1200)))))
    with Decoder(MediaSettings(), tmp_path / "derived") as decoder:
        decoded = decoder.decode(bytes(path))
    sizes = {}
    for size in EXTENSIONS:
        shown = pyvips.Image.new_from_file(str(derived_path(tmp_path / "derived", decoded.content_id, size)))
        sizes[size] = (shown.get("vips-loader"), shown.width, shown.height)
    assert sizes == {
        "preview": ("jpegload", 1440, 960),
        "big": ("webpload", 500, 333),
        "square": ("webpload", 250, 250),
        "small": ("webpload", 120, 80),
    }


def test_a_second_run_writes_nothing_and_a_forced_one_the_same_bytes(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Derived pictures are made once: they keep their bytes and times, and force makes the same bytes again."""
    folder = tmp_path / "derived"
    with Decoder(MediaSettings(), folder) as decoder:
        first = decoder.decode(bytes(samples["jpeg"]))
        written = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
        assert decoder.decode(bytes(samples["jpeg"])) == first
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")} == written
        assert decoder.decode(bytes(samples["jpeg"]), force=True) == first
    again = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    assert len(written) == 4
    assert {path: data for path, (data, _) in again.items()} == {path: data for path, (data, _) in written.items()}
    assert all(again[path][1] > written[path][1] for path in written)


def test_an_empty_derived_picture_is_made_again(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A power cut may leave a file of no bytes; it does not count as there."""
    with Decoder(MediaSettings(), tmp_path) as decoder:
        decoded = decoder.decode(bytes(samples["jpeg"]))
        emptied = derived_path(tmp_path, decoded.content_id, "square")
        emptied.write_bytes(b"")
        assert decoder.decode(bytes(samples["jpeg"])) == decoded
        assert emptied.stat().st_size == decoded.derived["square"]
