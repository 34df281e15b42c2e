"""The walk: what it lists, what it leaves out and why, whatever names and links lie in its way."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from batch.discover import inside, is_gone, walk
from cluster.store.paths import display
from tests.nobody import as_nobody

SKIP = [".*", "@eaDir", "*.tmp", "2020/private*"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the usual and the unusual in it."""
    for name in ("2020/a.jpg", "2020/b.CR2", "2020/@eaDir/a.jpg", "2020/private/c.jpg", ".hidden/d.jpg", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    os.symlink(tmp_path, tmp_path / "2020" / "loop")
    os.mkfifo(tmp_path / "2020" / "pipe.jpg")
    return tmp_path


def test_every_entry_is_listed_once_or_left_out_with_its_reason(root: Path):
    """Links, pipes, patterns and foreign files are counted by reason; nothing is opened or followed."""
    folders = {folder.path: folder for folder in walk(os.fsencode(root), SKIP)}

    assert set(folders) == {b"", b"2020"}
    assert [file.path for file in folders[b"2020"].files] == [b"2020/a.jpg", b"2020/b.CR2"]
    assert [file.kind for file in folders[b"2020"].files] == ["image", "raw"]
    assert folders[b""].skipped == {"matches a skip pattern": 1, "not a photo or video": 1}
    assert folders[b"2020"].skipped == {
        "matches a skip pattern": 2,
        "a symbolic link": 1,
        "not a regular file": 1,
    }


def test_names_are_kept_raw_and_shown_readable(tmp_path: Path):
    """A name that is not UTF-8, or has line ends, is listed under its bytes and shown with escapes."""
    for name in (b"caf\xe9.jpg", b"two\nlines.jpg"):
        (Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))).write_bytes(b"x")

    (folder,) = walk(os.fsencode(tmp_path), [])

    assert [file.path for file in folder.files] == [b"caf\xe9.jpg", b"two\nlines.jpg"]
    assert [display(file.path) for file in folder.files] == ["caf\\xe9.jpg", "two\\x0alines.jpg"]


def test_a_folder_that_vanishes_or_refuses_is_told_and_the_rest_is_listed(tmp_path: Path):
    """One folder that cannot be listed costs only itself."""
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "a.jpg").write_bytes(b"x")
    (tmp_path / "gone").mkdir()

    found = []
    for folder in walk(os.fsencode(tmp_path), []):
        found.append(folder)
        if folder.path == b"":
            (tmp_path / "gone").rmdir()

    assert [(folder.path, bool(folder.error), len(folder.files)) for folder in found] == [
        (b"", False, 0), (b"gone", True, 0), (b"good", False, 1),
    ]  # fmt: skip


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path):
    """The walk of nothing must not look like an empty library."""
    with pytest.raises(FileNotFoundError):
        list(walk(os.fsencode(tmp_path / "away"), []))


def test_folders_deeper_than_the_limit_are_left_out(tmp_path: Path):
    """A path of a thousand folders does not make the walk endless."""
    deep = tmp_path
    for _ in range(70):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.jpg").write_bytes(b"x")

    folders = list(walk(os.fsencode(tmp_path), []))

    assert sum(len(folder.files) for folder in folders) == 0
    assert folders[-1].skipped == {"the same folder again, or too deep": 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody to whom a folder is closed")
def test_a_file_below_a_folder_that_cannot_be_read_is_not_gone():
    """It may be there; gone is only what is surely not, and the folder that cannot be listed says so."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "closed" / "below").mkdir(parents=True)
        (root / "closed" / "below" / "a.jpg").touch()
        os.chmod(root, 0o755)
        os.chmod(root / "closed", 0)
        paths = [b"closed/below/a.jpg", b"no.jpg", b"closed/x/y.jpg"]

        unlisted, gone = as_nobody(looked_at, os.fsencode(root), paths)

    assert unlisted == [b"closed"]
    assert gone == [False, True, False]


def looked_at(root: bytes, paths: list[bytes]) -> tuple[list[bytes], list[bool]]:
    """The folders that cannot be listed, and whether some files are gone."""
    return [one.path for one in walk(root, ()) if one.error], [is_gone(root, path) for path in paths]


def test_files_that_come_and_go_while_a_folder_is_listed_cost_nobody_else(tmp_path: Path):
    """Another process writes and deletes in the same folder; every walk sees the file that stays."""
    (tmp_path / "stays.jpg").touch()
    code = f"""
import itertools, pathlib
for number in itertools.count():
    file = pathlib.Path({str(tmp_path)!r}, f"{{number % 50}}.jpg")
    file.touch(); file.unlink()
"""
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        try:
            walks = [folder for _ in range(300) for folder in walk(os.fsencode(tmp_path), ())]
        finally:
            other.kill()

    assert all(not one.error and any(file.path == b"stays.jpg" for file in one.files) for one in walks)


def test_a_file_asked_for_by_name_is_known_by_its_path_below_the_root(tmp_path: Path):
    """Whole or from the root, tidy or not, with dots in its name or without."""
    root = os.fsencode(tmp_path)
    for name in ("a/b.jpg", "..hidden.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    for given in ("a/b.jpg", str(tmp_path / "a" / "b.jpg"), f"{tmp_path}/a/./b.jpg", "a/../a//b.jpg"):
        assert inside(root, given) == b"a/b.jpg"
    assert inside(root, "..hidden.jpg") == b"..hidden.jpg"
