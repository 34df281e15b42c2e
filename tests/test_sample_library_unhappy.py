"""The unhappy files of the sample library are as broken, and as hostile, as they claim: no more and no less."""

import os
import stat
import zlib
from io import BytesIO

import pytest
import pyvips
from PIL import Image

from tests.sample_library import SampleLibrary, write_sample_library
from tests.sample_library.unhappy import png_bomb


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """The sample library, written once."""
    return write_sample_library(tmp_path_factory.mktemp("sample") / "library")


def test_the_truncated_photo_keeps_its_upper_part(library: SampleLibrary) -> None:
    """A strict decoder refuses it; a forgiving one shows rows at the top and grey at the bottom."""
    (photo,) = (photo for photo in library.photos if photo.flags == ("truncated",))
    path = library.folder / photo.main
    with path.open("rb") as file, pytest.raises(OSError, match="truncated"):
        Image.open(file).load()
    rows = pyvips.Image.new_from_file(str(path), fail_on="none").numpy()
    assert rows.shape == (photo.height, photo.width, 3)
    assert rows[: photo.height // 4].std() > 30
    assert rows[-photo.height // 4 :].std() < 1


def test_the_files_that_must_fail_are_unreadable_or_too_large(library: SampleLibrary) -> None:
    """No decoder gets a picture out of them, and the bomb says its 900 million pixels in its header."""
    for path in (path for path, kind in library.failed.items() if kind == "unreadable"):
        with pytest.raises(pyvips.Error):
            pyvips.Image.new_from_file(str(library.folder / path), fail_on="none").avg()
    (bomb,) = (path for path, kind in library.failed.items() if kind == "too large")
    head = pyvips.Image.new_from_file(str(library.folder / bomb))
    assert head.width * head.height == 900_000_000
    assert (library.folder / bomb).stat().st_size < 2_000_000


def test_the_bomb_is_a_complete_png() -> None:
    """A small one of its kind decodes to nothing but black, so that the large one fails for its size alone."""
    with Image.open(BytesIO(png_bomb(200))) as image:
        assert image.size == (200, 200)
        assert image.getextrema() == (0, 0)
    assert zlib.adler32(bytes(200 * 201)) == int.from_bytes(png_bomb(200)[-20:-16], "big")


def test_a_pipe_and_two_loops_wait_for_whoever_follows_them(library: SampleLibrary) -> None:
    """A FIFO, a link to the folder above, and a link to itself."""
    kinds = {path: (library.folder / path).lstat().st_mode for path in library.skipped}
    assert [path for path, mode in kinds.items() if stat.S_ISFIFO(mode)] == ["Recovered/pipe.jpg"]
    loops = [path for path, mode in kinds.items() if stat.S_ISLNK(mode)]
    assert loops == [path for path, reason in library.skipped.items() if reason == "a symbolic link"]
    assert (library.folder / loops[0]).resolve() == library.folder.resolve()
    with pytest.raises(OSError, match="symbolic links"):
        os.stat(library.folder / loops[1])


def test_names_are_as_hard_as_file_systems_allow(library: SampleLibrary) -> None:
    """One is no UTF-8, one has 255 bytes, and both are photos."""
    names = [os.path.basename(os.fsencode(photo.main)) for photo in library.photos]
    assert b"caf\xe9.jpg" in names
    assert max(len(name) for name in names) == 255
