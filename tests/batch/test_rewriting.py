"""A file gets other bytes in one step, or stays as it was; nothing is written elsewhere."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batch.rewriting import Rewriting, folder_of
from cluster.errors import Unwritable
from serve_apps.media.source import Source


@contextmanager
def rewriting(folder: Path, name: str = "a.jpg", step: Callable[[str], object] = str) -> Iterator[Rewriting]:
    """The rewriting of a file."""
    with folder_of(bytes(folder.parent), bytes(folder.name, "utf8") + b"/" + name.encode()) as fd:
        yield Rewriting(fd, name.encode(), step)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a mode and a time of its own."""
    path = tmp_path / "photos" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"old" * 1000)
    path.chmod(0o664)
    os.utime(path, ns=(5_000_000_001, 6_000_000_007))
    return path


def replaced(target: Rewriting, parts: list[bytes]) -> tuple[str, int, int]:
    """Write and put in place."""
    with Source(target.name, target.folder) as source:
        seen = os.fstat(source.fd)
        written = target.write(parts, seen, source)
    target.put(seen)
    return written


def test_a_file_gets_its_bytes_and_keeps_the_rest(file: Path):
    """Mode, owner, time and extended attributes; the old bytes lie beside it until somebody lets go of them."""
    marked = marks(file)
    before = file.stat()

    with rewriting(file.parent) as target:
        written = replaced(target, [b"new", b"er"])

        after = file.stat()
        assert written == (hashlib.sha256(b"newer").hexdigest()[:32], 5, 6_000_000_007)
        assert file.read_bytes() == b"newer"
        assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid, after.st_mtime_ns) == (
            0o664, before.st_uid, before.st_gid, 6_000_000_007,
        )  # fmt: skip
        assert marked == [] or os.getxattr(file, "user.mark") == b"mine"
        (old,) = [path for path in file.parent.iterdir() if path != file]
        assert old.name.endswith(".tmp")
        assert old.read_bytes() == b"old" * 1000
        target.clear()
    assert list(file.parent.iterdir()) == [file]


def marks(file: Path) -> list[str]:
    """Mark a file, where its disk has marks."""
    try:
        os.setxattr(file, "user.mark", b"mine")
    except OSError:
        return []
    return ["user.mark"]


def test_where_there_are_no_links_the_old_bytes_are_copied(file: Path):
    """The copy is like the file itself."""
    with rewriting(file.parent) as target:
        target.copy(file.stat())

        kept = file.parent / target.old.decode()
        assert kept.read_bytes() == b"old" * 1000
        assert kept.stat().st_mtime_ns == 6_000_000_007
        assert kept.stat().st_ino != file.stat().st_ino


def test_what_fails_while_it_is_written_leaves_nothing(file: Path):
    """The old file is as it was, and there is no half of a new one."""

    def parts() -> Iterator[bytes]:
        """A file that cannot be read to its end."""
        yield b"half"
        raise Unwritable("enough")

    with rewriting(file.parent) as target, pytest.raises(Unwritable, match="enough"):
        target.write(parts(), file.stat(), None)

    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == b"old" * 1000


def test_a_new_file_does_not_replace_one_that_came_meanwhile(file: Path):
    """Somebody else's file of that name stays, and ours goes."""
    with rewriting(file.parent, "b.xmp") as target:
        target.write([b"ours"], file.stat(), None)
        (file.parent / "b.xmp").write_bytes(b"theirs")
        with pytest.raises(Unwritable, match="scan again"):
            target.put(None)

    assert sorted(path.name for path in file.parent.iterdir()) == ["a.jpg", "b.xmp"]
    assert (file.parent / "b.xmp").read_bytes() == b"theirs"


def test_a_file_made_read_only_stays(file: Path):
    """Even to those who may write anywhere."""
    file.chmod(0o444)
    with rewriting(file.parent) as target, pytest.raises(Unwritable, match="read-only"):
        target.must_be_writable(file.stat())


@pytest.mark.parametrize(
    "path", ["../outside/a.jpg", "photos/../../outside/a.jpg", "link/a.jpg", "photos/a.jpg/b", "no/a"]
)
def test_no_path_leads_out_of_the_root(file: Path, path: str):
    """Not by its dots, not by a link; nor through what is no folder."""
    root = file.parent.parent
    (root / "link").symlink_to(root.parent)
    with pytest.raises(Unwritable), folder_of(bytes(root), path.encode()):
        pass
