"""Whether anything changes in a folder, with real files and the kernel's own word for it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.watching import FolderWatch, Gone, Unwatchable, remote
from cluster.settings import ScanSettings

SKIP = ScanSettings().skip
SOON_S = 0.3  # nothing comes in that time where nothing should; what comes is told at once
LATE_S = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of originals with a folder in it."""
    (tmp_path / "photos" / "2024").mkdir(parents=True)
    (tmp_path / "photos" / "2024" / "a.jpg").write_bytes(b"a picture")
    (tmp_path / "outside").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def watch(folder: Path) -> Iterator[FolderWatch]:
    """The folder, watched."""
    with FolderWatch(folder, SKIP) as one:
        yield one


def test_a_file_that_is_written_changed_renamed_or_deleted_is_told(watch: FolderWatch, folder: Path):
    """One by one, and quiet between them."""
    new, other = folder / "2024" / "b.jpg", folder / "c.JPG"
    for act in (lambda: new.write_bytes(b"1"), lambda: new.write_bytes(b"2"), lambda: new.rename(other), other.unlink):
        act()
        assert watch.changed(LATE_S)
        assert not watch.changed(SOON_S)


@pytest.mark.parametrize(
    "name", [".hidden.jpg", "a.jpg.part", "notes.txt", "@eaDir/a.jpg", ".git/a.jpg", "2024/.brightroom", "x.tmp"]
)
def test_what_a_scan_leaves_out_is_not_told(watch: FolderWatch, folder: Path, name: str):
    """Nor folders that are left out, nor what comes into them later."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"1")
    (folder / name).write_bytes(b"2")
    assert not watch.changed(SOON_S)


def test_a_file_is_told_when_it_is_whole(watch: FolderWatch, folder: Path):
    """Not while it is being written, and not when it is only read."""
    with open(folder / "b.jpg", "wb") as file:
        file.write(b"half")
        file.flush()
        assert not watch.changed(SOON_S)
    assert watch.changed(LATE_S)

    (folder / "2024" / "a.jpg").read_bytes()
    assert not watch.changed(SOON_S)


def test_a_part_that_gets_its_name_and_another_name_of_a_file_are_told(watch: FolderWatch, folder: Path):
    """Nobody writes to either."""
    (folder / "b.jpg.part").write_bytes(b"1")
    assert not watch.changed(SOON_S)
    (folder / "b.jpg.part").rename(folder / "b.jpg")
    assert watch.changed(LATE_S)
    os.link(folder / "b.jpg", folder / "c.jpg")
    assert watch.changed(LATE_S)


def test_folders_that_come_are_watched_with_what_came_with_them(watch: FolderWatch, folder: Path):
    """A whole tree that is moved in, and one that is made folder by folder; an empty one is no change."""
    (folder / "empty" / "deep").mkdir(parents=True)
    assert not watch.changed(SOON_S)
    (folder / "empty" / "deep" / "b.jpg").write_bytes(b"1")
    assert watch.changed(LATE_S)

    tree = folder.parent / "outside" / "tree" / "deep"
    tree.mkdir(parents=True)
    (tree / "c.jpg").write_bytes(b"1")
    (folder.parent / "outside" / "tree").rename(folder / "tree")
    assert watch.changed(LATE_S)
    (folder / "tree" / "deep" / "d.jpg").write_bytes(b"1")
    assert watch.changed(LATE_S)


def test_folders_that_go_are_told_and_watched_no_more(watch: FolderWatch, folder: Path):
    """Moved away with their photos, or deleted with them; what happens to them elsewhere is nobody's business."""
    before = len(watch.folders)
    (folder / "2024").rename(folder.parent / "outside" / "2024")
    assert watch.changed(LATE_S)
    (folder.parent / "outside" / "2024" / "b.jpg").write_bytes(b"1")
    assert not watch.changed(SOON_S)

    (folder.parent / "outside" / "2024").rename(folder / "2025")
    assert watch.changed(LATE_S)
    shutil.rmtree(folder / "2025")
    assert watch.changed(LATE_S)
    while watch.changed(SOON_S):
        pass
    assert len(watch.folders) == before - 1


def test_links_are_not_followed_and_names_need_not_be_utf8(folder: Path):
    """A link out of the folder would have the whole machine watched; the folder itself may be one."""
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder.parent / "root").symlink_to(folder)
    raw = os.path.join(os.fsencode(folder), b"n\xff")
    os.mkdir(raw)
    with FolderWatch(folder.parent / "root", SKIP) as watch:
        assert sorted(watch.folders.values()) == [b"", b"2024", b"n\xff"]
        (folder / "link" / "b.jpg").write_bytes(b"1")
        (folder / "b.jpg").symlink_to(folder / "2024" / "a.jpg")
        assert not watch.changed(SOON_S)
        with open(os.path.join(raw, b"\xfe.jpg"), "wb"):
            pass
        assert watch.changed(LATE_S)


def test_a_folder_that_goes_or_is_replaced_is_gone(watch: FolderWatch, folder: Path):
    """As when something is mounted over it; and one that is not there cannot be watched."""
    folder.rename(folder.parent / "away")
    with pytest.raises(Gone, match="is not there"):
        watch.changed(LATE_S)
    with pytest.raises(Gone):
        FolderWatch(folder, SKIP)
    folder.mkdir()
    with pytest.raises(Gone, match="another folder"):
        watch.changed(LATE_S)


def test_more_folders_than_the_kernel_watches_are_to_be_polled(folder: Path):
    """It says so where a folder cannot be added, at the beginning and later."""

    class Small(FolderWatch):
        """A kernel that watches two folders."""

        def watch(self, path: bytes) -> bool:
            if len(self.folders) == 2:
                raise Unwatchable("the kernel watches no more folders")
            return super().watch(path)

    with Small(folder, SKIP) as watch:
        (folder / "2025").mkdir()
        with pytest.raises(Unwatchable):
            watch.changed(LATE_S)
    with pytest.raises(Unwatchable):
        Small(folder, SKIP)


MOUNTS = rb"""/dev/sda1 / ext4 rw 0 0
server:/photos /mnt/my\040photos nfs4 rw 0 0
//nas/p /srv/nas/p cifs rw 0 0
merged /pool fuse.mergerfs rw 0 0
/dev/sdb1 /usb fuseblk rw 0 0
/dev/sdc1 /mnt/my\040photos/local xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        (b"/home/ann/photos", ""),
        (b"/mnt/my photos", "nfs4"),
        (b"/mnt/my photos/2024", "nfs4"),
        (b"/mnt/my photos/local/2024", ""),
        (b"/mnt/my photos too", ""),
        (b"/srv", "cifs"),
        (b"/pool/photos", "fuse.mergerfs"),
        (b"/usb", ""),
    ],
)
def test_shares_are_known_by_their_mounts(tmp_path: Path, root: bytes, kind: str):
    """The folder's own, or one below it; a local disk mounted on a share is none."""
    mounts = tmp_path / "mounts"
    mounts.write_bytes(MOUNTS)

    assert remote(root, mounts) == kind


def test_a_folder_on_a_share_is_not_watched(tmp_path: Path, folder: Path):
    """It says on what it is."""
    mounts = tmp_path / "mounts"
    mounts.write_bytes(b"server:/photos %s nfs4 rw 0 0\n" % os.fsencode(folder))

    with pytest.raises(Unwatchable, match="it is on nfs4"):
        FolderWatch(folder, SKIP, mounts)
