"""Which state of its sources this Brightroom was made from, as far as somebody wrote it down. Nothing is guessed.

An image's build writes `build.json` beside this file; a source tree asks git. Versions of packages are the API's.
"""

import json
import logging
import os
import re
import subprocess
from datetime import datetime
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
NOTE = HERE / "build.json"  # {"git_hash": "40 hex digits", "built_at": "2026-01-31T12:00:00Z"}
UNKNOWN = "unknown"
HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
GIT_S = 5.0


class Build(msgspec.Struct, frozen=True):
    """The commit and the moment of a build, `unknown` where nobody wrote it down."""

    git_hash: str = UNKNOWN
    modified: bool = False  # the sources are not as they were in that commit
    built_at: str = UNKNOWN  # ISO 8601; sources that nobody built have no such moment


def build(note: Path = NOTE, tree: Path = HERE.parent) -> Build:
    """What is known of this build: the note of whoever built it, else what git knows of the source tree. Blocks."""
    return noted(note) if note.exists() else of_tree(tree)


def noted(note: Path) -> Build:
    """What a note says; what is no hash or no time in it is unknown."""
    try:
        told = json.loads(note.read_text("utf8"))
        told = told if isinstance(told, dict) else {}
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", note, error)
        told = {}
    git_hash, built_at = str(told.get("git_hash")), str(told.get("built_at"))
    return Build(git_hash if HASH.fullmatch(git_hash) else UNKNOWN, False, built_at if is_time(built_at) else UNKNOWN)


def is_time(text: str) -> bool:
    """Whether a text is a moment in ISO 8601 that says its offset."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def of_tree(tree: Path) -> Build:
    """What git knows of a source tree that is a checkout itself; one that only lies in another's is not."""
    if not (tree / ".git").exists():
        return Build()
    git_hash = asked(tree, "rev-parse", "--verify", "HEAD")
    changes = asked(tree, "status", "--porcelain", "--untracked-files=no")
    if git_hash is None or changes is None or not HASH.fullmatch(git_hash):
        return Build()
    return Build(git_hash, bool(changes))


def asked(tree: Path, *question: str) -> str | None:
    """What git answers, without touching anything; None when it does not."""
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-C", str(tree), *question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, env=elsewhere, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
