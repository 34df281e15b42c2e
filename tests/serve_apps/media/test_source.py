"""A file is read once, hashed on the way, and must not change meanwhile."""

import hashlib
import os
from pathlib import Path

import pytest

from cluster.errors import TooLarge, Unreadable
from serve_apps.media.source import Source


def test_bytes_and_content_id_come_from_one_pass(tmp_path: Path) -> None:
    """The id is the first half of the SHA-256; reading in pieces gives the same."""
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    wanted = hashlib.sha256(data).hexdigest()[:32]
    with Source(bytes(tmp_path / "file")) as source:
        assert source.read(len(data)) == (data, wanted)
    with Source(bytes(tmp_path / "file")) as source:
        assert source.head() == data[:512]
        assert source.content_id() == wanted
        assert source.size == len(data)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    """One byte too many is too many."""
    (tmp_path / "file").write_bytes(b"1234")
    with Source(bytes(tmp_path / "file")) as source, pytest.raises(TooLarge, match=r"over the .* media\.max_file_mb"):
        source.read(3)


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"longer"), lambda path: os.utime(path, (1, 1))])
def test_a_change_of_size_or_time_is_seen(tmp_path: Path, change: "object") -> None:
    """Whoever writes to the file between opening and the last byte spoils it."""
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    with Source(bytes(path)) as source:
        assert callable(change)
        change(path)
        with pytest.raises(Unreadable, match="changed while it was read"):
            source.read(100)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Neither after success nor after refusal."""
    (tmp_path / "file").write_bytes(b"1")
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    with Source(bytes(tmp_path / "file")):
        pass
    with pytest.raises(Unreadable):
        Source(bytes(tmp_path / "pipe"))
    assert os.listdir("/proc/self/fd") == before
