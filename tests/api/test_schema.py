"""The API described by itself: complete, true, and without asking another host for anything."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.api.test_routes import MATRIX
from tests.api.world import World

ASSETS = ["/schema", "/schema/schema.js", "/schema/schema.css"]


class Tags(HTMLParser):
    """What a page loads, and what of it could run."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses and handlers in attributes."""
        self._inside = tag
        self.loaded += [value for name, value in attrs if name in {"src", "href"} and value]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Note text inside scripts and styles."""
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def description(world: World) -> dict[str, Any]:
    """openapi.json."""
    told: dict[str, Any] = world.client().get("/schema/openapi.json").json()
    return told


def operations(description: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }


def test_the_page_references_no_other_host(world: World) -> None:
    """Neither in the page, nor in its script and style, nor in the description's own addresses."""
    for path in ASSETS:
        text = world.client().get(path).text
        assert not re.search(r"(https?:)?//[\w.-]+\.\w", re.sub(r"^\s*//.*$", "", text, flags=re.M)), path
        assert not re.search(r"@import|url\(|importScripts|import\(", text), path


def test_the_page_loads_only_what_is_served_here_and_runs_nothing_inline(world: World) -> None:
    """So that its policy can forbid everything else."""
    page = Tags()
    page.feed(world.client().get("/schema").text)

    assert page.inline == []
    for address in page.loaded:
        assert address.startswith("/schema/")
        assert world.client().get(address).status_code == 200


def test_the_pages_policy_allows_this_host_only(world: World) -> None:
    """No inline script, no eval, no other origin, no frame."""
    policy = world.client().get("/schema").headers["content-security-policy"]

    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["connect-src"] == parts["style-src"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_scripts_and_styles_have_their_types(world: World) -> None:
    """Browsers with nosniff run nothing else."""
    types = [world.client().get(path).headers["content-type"].partition(";")[0] for path in ASSETS]

    assert types == ["text/html", "text/javascript", "text/css"]


def test_every_route_of_the_api_is_described(description: dict[str, Any]) -> None:
    """And nothing that is not there."""
    expected = {(method, path) for method, path, *_ in MATRIX if not path.startswith("/schema")}

    assert set(operations(description)) == expected


def test_every_operation_has_a_summary_a_description_and_a_tag(description: dict[str, Any]) -> None:
    """People read them."""
    for where, operation in operations(description).items():
        assert operation["summary"], where
        assert operation["description"].rstrip().endswith("."), where
    assert len({operation["operationId"] for operation in operations(description).values()}) == len(
        operations(description)
    )


def test_rules_are_described_as_they_are_enforced(description: dict[str, Any]) -> None:
    """What an anonymous caller gets in the matrix is what the description promises."""
    told = operations(description)
    for method, path, _, (anonymous, user, _) in MATRIX:
        if path.startswith("/schema") or path == "/api/auth/password":  # which is 403 for a wrong old password
            continue
        operation = told[method, path]
        assert (operation["security"] == []) == (anonymous != 401), path
        assert (operation["x-access"] in {"admin", "metrics"}) == (user == 403), path


def test_errors_are_described_as_problem_documents(description: dict[str, Any]) -> None:
    """Each operation's default answer; the framework's own error shape is nowhere."""
    for operation in operations(description).values():
        default = operation["responses"]["default"]["content"]
        assert list(default) == ["application/problem+json"]
        assert "400" not in operation["responses"]
    assert set(description["components"]["schemas"]["Problem"]["properties"]) == {
        "type", "title", "status", "detail", "errors",
    }  # fmt: skip


def test_references_lead_somewhere(description: dict[str, Any]) -> None:
    """Every $ref is in the document."""
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', str(description).replace("'", '"')))

    assert names
    assert names <= set(description["components"]["schemas"])


def test_the_description_is_the_same_twice(world: World, description: dict[str, Any]) -> None:
    """It is made once, and completing it again changes nothing."""
    assert world.client().get("/schema/openapi.json").json() == description
