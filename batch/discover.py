"""Walk a source folder by folder and tell what lies there. Opens no file, follows no link, knows no library."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch

import msgspec

from batch.variants import stem
from cluster.errors import Invalid
from cluster.store.paths import display
from serve_apps.media.kinds import kind_of

MAX_DEPTH = 64
MARKER = b".brightroom"  # our own file in the root, by which `guard.py` knows it again; it is no entry


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
            if below_root == MARKER:
                continue
            try:
                if matches(display(entry.name), display(below_root), skip):
                    skipped["matches a skip pattern"] += 1
                elif entry.is_dir(follow_symlinks=False):
                    below.append(below_root)
                elif reason := unfit(entry):
                    skipped[reason] += 1
                else:
                    files.append(listed(entry, below_root))
            except FileNotFoundError:
                continue  # it went away while the folder was listed
            except OSError as error:
                skipped[f"cannot be looked at ({error.strerror})"] += 1
    return Folder(path, sorted(files, key=lambda file: file.path), dict(skipped)), below


def inside(root: bytes, path: str) -> bytes:
    """The path below the root of a file that is to be scanned by name, given whole or from the root.

    Raises Invalid for what is not there, no file, outside, or reached by a link.
    """
    whole = os.path.normpath(os.path.join(root, os.fsencode(path)))
    name = display(os.fsencode(path))
    if not whole.startswith(os.path.join(root, b"")):
        raise Invalid(f"{name} is not below {display(root)}; only files of the scan directory can be scanned")
    below = os.path.relpath(whole, root)
    parts = below.split(b"/")
    for count in range(1, len(parts) + 1):
        try:
            mode = os.lstat(os.path.join(root, *parts[:count])).st_mode
        except (OSError, ValueError) as error:  # ValueError: a name with NUL in it
            why = error.strerror if isinstance(error, OSError) else "no file has such a name"
            raise Invalid(f"{name} cannot be scanned: {why}") from None
        if stat.S_ISLNK(mode):
            raise Invalid(f"{name} is reached by a symbolic link, and links are not followed; name the file itself")
    if not stat.S_ISREG(mode):
        raise Invalid(f"{name} is no file; name the files to scan, or scan everything")
    return below


def is_gone(root: bytes, path: bytes) -> bool:
    """Whether a file is surely not there: one below a folder that cannot be read, or on a share that hangs, may be."""
    try:
        os.lstat(os.path.join(root, path))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


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


def chunked(folders: Iterable[Folder], files: int) -> Iterator[list[Folder]]:
    """Folders gathered until they hold so many files: variants lie in one folder, so none is split."""
    chunk: list[Folder] = []
    held = 0
    for folder in folders:
        chunk.append(folder)
        held += len(folder.files)
        if held >= files:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def only(folder: Folder, wanted: set[bytes]) -> Folder:
    """A folder with just the wanted files and what belongs to the same photos."""
    stems = {stem(path) for path in wanted}
    return Folder(folder.path, [file for file in folder.files if stem(file.path) in stems], {})
