"""Walk a source folder by folder and tell what lies there. Opens no file, follows no link, knows no library."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch

import msgspec

from cluster.store.paths import display
from serve_apps.media.kinds import kind_of

MAX_DEPTH = 64


class Entry(msgspec.Struct, frozen=True):
    """One media file or sidecar as the folder lists it."""

    path: bytes  # below the source's root, raw as the file system has it
    kind: str  # image, raw, video or xmp
    size: int  # bytes
    mtime_ns: int


class Folder(msgspec.Struct, frozen=True):
    """One folder: its files, what was left out and why, or why it could not be listed."""

    path: bytes  # below the root; b"" is the root itself
    files: list[Entry]
    skipped: dict[str, int]  # reason for people -> entries
    error: str = ""


def walk(root: bytes, skip: Sequence[str]) -> Iterator[Folder]:
    """Every folder below a root, parents first, in the order of their names.

    Links are not followed: what lies below the root is a tree, and a link can neither loop nor lead out.
    Raises OSError when the root itself cannot be listed.
    """
    waiting = [b""]
    seen = set()  # (device, inode): a bind mount can show a folder twice
    while waiting:
        path = waiting.pop()
        try:
            here = os.stat(os.path.join(root, path), follow_symlinks=False)
            if (here.st_dev, here.st_ino) in seen or path.count(b"/") >= MAX_DEPTH:
                yield Folder(path, [], {"the same folder again, or too deep": 1})
                continue
            seen.add((here.st_dev, here.st_ino))
            folder, below = list_folder(root, path, skip)
        except OSError as error:
            if path == b"":
                raise
            yield Folder(path, [], {}, f"the folder cannot be listed: {error.strerror}; check its permissions")
            continue
        waiting.extend(sorted(below, reverse=True))
        yield folder


def list_folder(root: bytes, path: bytes, skip: Sequence[str]) -> tuple[Folder, list[bytes]]:
    """A folder, and the paths of the folders in it. Raises OSError."""
    files: list[Entry] = []
    below: list[bytes] = []
    skipped: Counter[str] = Counter()
    with os.scandir(os.path.join(root, path)) as entries:
        for entry in entries:
            below_root = os.path.join(path, entry.name)
            if matches(display(entry.name), display(below_root), skip):
                skipped["matches a skip pattern"] += 1
            elif entry.is_dir(follow_symlinks=False):
                below.append(below_root)
            elif reason := unfit(entry):
                skipped[reason] += 1
            else:
                files.append(listed(entry, below_root))
    return Folder(path, sorted(files, key=lambda file: file.path), dict(skipped)), below


def matches(name: str, path: str, patterns: Sequence[str]) -> bool:
    """Whether a name, or a path below the root, is one of the patterns' (globs)."""
    return any(fnmatch(name, pattern) or fnmatch(path, pattern) for pattern in patterns)


def unfit(entry: "os.DirEntry[bytes]") -> str:
    """Why an entry is nothing for a photo library, or nothing."""
    if entry.is_symlink():
        return "a symbolic link"
    if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        return "not a regular file"
    return "" if kind_of(display(entry.name)) else "not a photo or video"


def listed(entry: "os.DirEntry[bytes]", path: bytes) -> Entry:
    """The entry with its size and time."""
    facts = entry.stat(follow_symlinks=False)
    return Entry(path, kind_of(display(entry.name)) or "", facts.st_size, facts.st_mtime_ns)
