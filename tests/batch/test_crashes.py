"""A writer that dies before each of its changes in turn: the next scan makes the library what it would have been."""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.batch.bench_of_one import Bench, Killed
from tests.conftest import rows_of


def new_files(home: Bench) -> None:
    """Some photos come: a pair, copies, a broken one."""
    for number in range(3):
        home.photo(f"{number}.jpg", number)
    home.photo("copy/0.jpg", 0)
    home.photo("0.dng", 7)
    (home.folder / "bad.jpg").write_bytes(b"no picture")


def edited(home: Bench) -> None:
    """Some change, one of two copies among them."""
    home.photo("1.jpg", 11)
    home.photo("copy/0.jpg", 12)


def moved_and_deleted(home: Bench) -> None:
    """One goes elsewhere, one goes away, one leaves its RAW behind, the broken one is gone."""
    (home.folder / "new").mkdir()
    os.rename(home.folder / "1.jpg", home.folder / "new" / "one.jpg")
    (home.folder / "2.jpg").unlink()
    (home.folder / "bad.jpg").unlink()
    os.rename(home.folder / "0.jpg", home.folder / "new" / "0.jpg")


CHANGES = (new_files, edited, moved_and_deleted)


@pytest.mark.parametrize("change", CHANGES)
def test_whenever_the_writer_dies_the_next_scan_ends_as_if_it_had_not(tmp_path: Path, change: Callable[[Bench], None]):
    """Killed before its first change of a table, its second, and so on until one scan outlives them all."""
    with ExitStack() as open_until_the_end:
        before = tmp_path / "before"
        start = Bench(before)
        open_until_the_end.callback(start.close)
        start.folder.mkdir(parents=True)
        for earlier in CHANGES[: CHANGES.index(change)]:
            earlier(start)
            start.scan()
        undisturbed = Bench(shutil.copytree(before, tmp_path / "undisturbed"))
        open_until_the_end.callback(undisturbed.close)
        change(undisturbed)
        undisturbed.scan()
        wanted = rows_of(undisturbed.library)

        deaths = 0
        while True:
            one = Bench(shutil.copytree(before, tmp_path / f"dies{deaths}"))
            open_until_the_end.callback(one.close)
            change(one)
            stamp(undisturbed.folder, one.folder)
            try:
                one.scan(dies_before=deaths)
                break
            except Killed:
                one.scan()
            assert rows_of(one.library) == wanted, f"after a death before change {deaths}"
            deaths += 1
    assert deaths >= 3


def stamp(like: Path, folder: Path) -> None:
    """Give the files of a folder the times of another one's, so that their rows can be compared."""
    for path in like.rglob("*"):
        if path.is_file() and path.name != ".brightroom":
            there = path.stat()
            os.utime(folder / path.relative_to(like), ns=(there.st_atime_ns, there.st_mtime_ns))
