"""The documents tell the whole truth: every setting, route and command is in them, and nothing that is not there."""

import re
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from api.app import create_app
from api.cli import main
from api.deps import Deps
from cluster.settings import ModelSpec, Part, Settings
from cluster.store.database import open_system

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    """The application, as far as its routes go: nobody calls them here."""
    settings = Settings(root=tmp_path)
    nobody: Any = None
    return create_app(Deps(settings, open_system(settings), nobody, nobody, nobody, nobody))


def keys(model: type[Part], prefix: str = "") -> list[str]:
    """The keys of a settings tree, with dots."""
    found = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and issubclass(kind, Part)
        found += keys(kind, f"{prefix}{name}.") if nested else [prefix + name]
    return found


def in_tables(document: str) -> set[str]:
    """What stands as code in the first column of the tables of a document."""
    return set(re.findall(r"^\| `([^`]+)`", (ROOT / document).read_text("utf8"), re.MULTILINE))


def test_every_setting_is_documented_and_no_other():
    """The table of settings and the tree have the same keys."""
    wanted = {*keys(Settings), *keys(ModelSpec, "services.*.")}

    assert in_tables("configs/README.md") == wanted


def test_every_route_is_documented_and_no_other(app: Litestar):
    """The table of routes and the application have the same ones."""
    routes = {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method != "HEAD"  # what has GET has it
    }

    assert in_tables("api/README.md") == routes


def test_every_command_is_documented_and_no_other():
    """The table of commands in the README and the command line have the same ones."""
    assert in_tables("README.md") == {f"brightroom {name}" for name in main.commands}


def test_the_first_screen_of_the_readme_has_the_two_commands_and_a_picture():
    """A stranger sees what it is, what it looks like, and what to type."""
    screen = "\n".join((ROOT / "README.md").read_text("utf8").splitlines()[:40])

    assert "make demo" in screen
    assert "make test" in screen
    assert re.search(r"!\[[^\]]+\]\(([^)]+)\)", screen)


def test_pictures_and_files_that_documents_point_to_are_there():
    """No link inside the repository leads nowhere."""
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf8")):
            assert (ROOT / target).exists(), f"{document.name} points to {target}"
