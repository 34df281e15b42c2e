"""The documents tell the whole truth: every setting, route and command is in them, and nothing that is not there."""

import re
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from pydantic.fields import FieldInfo

from api.access import RULE, Rule
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
    return create_app(Deps(settings, open_system(settings), nobody, nobody, nobody, nobody, writer=nobody))


def keys(model: type[Part], prefix: str = "") -> dict[str, FieldInfo]:
    """The settings of a tree by their keys, with dots."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and issubclass(kind, Part)
        found |= keys(kind, f"{prefix}{name}.") if nested else {prefix + name: field}
    return found


def default_of(field: FieldInfo) -> str:
    """A setting's default as the table writes it: values as code, nothing and what is empty in a word."""
    if field.is_required():
        return "required"
    default = field.default
    if default is None or default in ([], {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return ", ".join(f"`{value}`" for value in (default if isinstance(default, list | tuple) else [default]))


def rows(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables, by the code in the first column: what stands in the others."""
    found = re.findall(r"^\| `([^`]+)` \| (.*) \|$", (ROOT / document).read_text("utf8"), re.MULTILINE)
    return {key: rest.split(" | ") for key, rest in found}


def handlers(app: Litestar) -> dict[str, HTTPRouteHandler]:
    """What answers in an application, by method and path."""
    return {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}": handler
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "HEAD"  # what has GET has it
    }


def test_every_setting_is_documented_as_it_is_and_no_other():
    """The table of settings and the tree have the same keys, defaults and descriptions."""
    tree = {**keys(Settings), **keys(ModelSpec, "services.*.")}

    assert rows("configs/README.md") == {key: [default_of(field), field.description] for key, field in tree.items()}


def test_every_route_is_documented_as_it_is_and_no_other(app: Litestar):
    """The table of routes and the application have the same ones, open to the same people."""
    people = {**{rule: str(rule) for rule in Rule}, Rule.METRICS: "admin, or this machine"}
    documented, answering = rows("api/README.md"), handlers(app)

    assert {key: who for key, (who, _) in documented.items()} == {
        key: people[handler.opt[RULE]] for key, handler in answering.items()
    }
    for key, (_, what) in documented.items():
        assert answering[key].summary in (None, what)  # the pages at /schema have none


def test_every_command_is_documented_and_no_other():
    """The table of commands in the README and the command line have the same ones."""
    assert set(rows("README.md")) == {f"brightroom {name}" for name in main.commands}


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
