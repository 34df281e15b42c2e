"""What settings name on this machine - folders, files, checkpoints - found where they are, before anything starts.

Makes nothing that stays. The keys are in settings.py.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from cluster.errors import SettingsError

PREFIXES = ("local-dir:", "facenet:")  # of a checkpoint, before a path; a name of what can be fetched may follow too
MUST_BE_LOCAL = PREFIXES[0]


def worked_out(key: str, path: Path) -> Path:
    """A path with `~`, links and relative parts worked out; raises SettingsError naming the key."""
    try:
        return path.expanduser().resolve()
    except (RuntimeError, OSError, ValueError) as error:  # no such user, links in a circle, a zero byte
        raise SettingsError(f"{key}: {path} cannot be worked out: {error}") from None


def folder(key: str, path: Path) -> Path:
    """A folder that must be there."""
    there = worked_out(key, path)
    if not os.path.isdir(there):
        raise SettingsError(f"{key}: {there} is no folder; create it, or leave the key out")
    return there


def folder_to_make(key: str, path: Path) -> Path:
    """A folder that may be made, in a folder that must be there."""
    wanted = worked_out(key, path)
    if os.path.exists(wanted):
        return folder(key, wanted)
    if not os.path.isdir(wanted.parent):
        raise SettingsError(f"{key}: {wanted.parent}, where it would be made, is no folder; create it first")
    return wanted


def writable_folder(key: str, path: Path) -> Path:
    """A folder that can be written to, or that can be made with its parents."""
    wanted = worked_out(key, path)
    above = next(there for there in (wanted, *wanted.parents) if os.path.lexists(there))
    if not os.path.isdir(above):
        raise SettingsError(f"{key}: {above} is a file; name a folder")
    if above != wanted:
        try_making_in(above, f"{key}: {wanted} cannot be created")
    elif not os.access(wanted, os.W_OK | os.X_OK):
        raise SettingsError(f"{key}: {wanted} cannot be written to; let this user write there, or name another folder")
    return wanted


def try_making_in(above: Path, fault: str) -> None:
    """Make a folder in another and take it away again: permissions alone say too little (/proc, a read-only disk)."""
    try:
        tempfile.TemporaryDirectory(dir=above, prefix=".brightroom-").cleanup()
    except OSError as error:
        raise SettingsError(f"{fault} in {above} ({error.strerror}); name another folder") from None


def checkpoint(key: str, name: str) -> None:
    """Refuse a checkpoint that is a path where nothing is."""
    prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
    path = Path(name.removeprefix(prefix))
    is_path = prefix == MUST_BE_LOCAL or path.is_absolute() or name.removeprefix(prefix).startswith("~")
    if is_path and not os.path.exists(worked_out(key, path)):
        raise SettingsError(f"{key}: there is nothing at {path}; mend the path")


def vocabulary(key: str, options: dict[str, Any]) -> None:
    """Refuse options that name a file of words that is not there."""
    if "vocabulary" in options and not os.path.isfile(worked_out(key, Path(options["vocabulary"]))):
        raise SettingsError(f"{key}: there is no file {options['vocabulary']}; name one with a word per line")
