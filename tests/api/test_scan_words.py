"""Which files `brightroom scan -s` takes, told by its dry run: those below a folder, and no other in silence."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.commands import scan
from cluster.errors import Invalid
from cluster.settings import Settings
from cluster.store.database import open_system

Try = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two files, and another beside it."""
    for name in ("photos/one.jpg", "photos/two.jpg", "elsewhere/three.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"never opened")
    return tmp_path / "photos"


@pytest.fixture
def dry_run(tmp_path: Path, photos: Path) -> Try:
    """Says what a scan would do for the only user there is."""
    settings = Settings(root=tmp_path / "root")
    open_system(settings).users.create("ann", "hash", scan_directory=str(photos))
    return lambda *words: CliRunner().invoke(scan, [*words, "--dry-run", "--json"], obj=settings)


@pytest.mark.parametrize("user", [(), ("--user", "ann")])
@pytest.mark.parametrize("inside", [(), ("photos/one.jpg",)])
def test_a_file_that_is_in_nobodys_folder_is_refused(
    dry_run: Try, photos: Path, user: tuple[str, ...], inside: tuple[str, ...]
):
    """Neither is everything scanned in its place, nor only the others."""
    named = [word for path in (*inside, "elsewhere/three.jpg") for word in ("-s", str(photos.parent / path))]

    ended = dry_run(*user, *named)

    assert isinstance(ended.exception, Invalid), ended.output


@pytest.mark.parametrize("way", ["photos/one.jpg", "elsewhere/../photos/one.jpg", "link/one.jpg"])
def test_a_file_is_found_whichever_way_it_is_named(dry_run: Try, photos: Path, way: str):
    """Over another folder, or a link to the folder."""
    (photos.parent / "link").symlink_to(photos)

    ended = dry_run("-s", os.path.join(photos.parent, way))

    assert json.loads(ended.output)["names"] == ["one.jpg"], ended.exception
