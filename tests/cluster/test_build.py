"""Which build this is: as it was written down, as git says, or unknown."""

import json
import subprocess
from pathlib import Path

import pytest

from cluster.build import Build, build

HASH = "0123456789abcdef0123456789abcdef01234567"


def git(tree: Path, *words: str) -> str:
    """Run git in a tree, for nobody in particular."""
    someone = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"]
    return subprocess.run(["git", *someone, "-C", str(tree), *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with one commit."""
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "--quiet")
    (tree / "file.py").write_text("one = 1\n")
    git(tree, "add", "file.py")
    git(tree, "commit", "--quiet", "-m", "Begin")
    return tree


def test_a_note_of_whoever_built_it_counts(tmp_path: Path, tree: Path) -> None:
    """Also where git has something to say."""
    note = tmp_path / "build.json"
    note.write_text(json.dumps({"git_hash": HASH, "built_at": "2026-01-31T12:00:00+00:00"}))

    assert build(note, tree) == Build(HASH, False, "2026-01-31T12:00:00+00:00")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"git_hash": null, "built_at": 3}', '{"git_hash": "main", "built_at": "yesterday"}',
     '{"git_hash": "0123456789ABCDEF0123456789ABCDEF01234567", "built_at": "2026-01-31"}'],
)  # fmt: skip
def test_a_note_that_says_nothing_sensible_is_unknown(tmp_path: Path, tree: Path, text: str) -> None:
    """Nothing is guessed in its place: what was built is not the tree beside it."""
    note = tmp_path / "build.json"
    note.write_text(text)

    assert build(note, tree) == Build("unknown", False, "unknown")


def test_a_source_tree_is_the_commit_that_git_says(tmp_path: Path, tree: Path) -> None:
    """Modified when a file that belongs to it is other than there; it was never built."""
    commit = git(tree, "rev-parse", "HEAD").strip()
    (tree / "scratch.txt").write_text("not a part of it")
    assert build(tmp_path / "no note", tree) == Build(commit, False, "unknown")

    (tree / "file.py").write_text("one = 2\n")
    assert build(tmp_path / "no note", tree) == Build(commit, True, "unknown")


def test_a_folder_that_is_no_checkout_itself_is_unknown(tmp_path: Path, tree: Path) -> None:
    """One in somebody else's checkout too, and a checkout without a commit."""
    (tree / "site-packages").mkdir()
    (tmp_path / "fresh").mkdir()
    git(tmp_path / "fresh", "init", "--quiet")

    for folder in (tmp_path, tree / "site-packages", tmp_path / "fresh"):
        assert build(tmp_path / "no note", folder) == Build()
