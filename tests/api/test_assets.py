"""Stylesheet, modules and pictures of the pages: all from here, kept for ever under an address of their content."""

import re

import pytest

from api.pages.assets import ASSETS, FOR_EVER, TYPES, Assets
from tests.api.browsing import Page, browser
from tests.api.world import World

MODULES = {name: data.decode() for name, data in ASSETS.files.items() if name.endswith(".js")}
CODE = sorted(MODULES.keys() - {"js/words.js"})
STYLE = ASSETS.files["app.css"].decode()
IMPORT = r"^(?:import|export)\b(?:\s*(\{[^}]*\}|[\w*\s,{}]*?)\s*\bfrom)?\s*\"([^\"]+)\""
EXPORTED = r"export\s+(?:async\s+)?(?:function\*?|const|let|class)\s+{0}\b|export\s*\{{[^}}]*\b{0}\b"
MARKUP = (
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|new Function"
)


@pytest.mark.parametrize("name", sorted(ASSETS.files))
def test_every_file_is_served_with_its_type_and_kept_for_ever(world: World, name: str) -> None:
    """To anybody: the page to log in on needs them."""
    answer = world.client().get(ASSETS.address(name))

    assert answer.status_code == 200
    assert answer.content == ASSETS.files[name]
    kind, _, parameters = answer.headers["content-type"].partition("; ")
    assert kind == TYPES[name.rpartition(".")[2]]
    assert parameters == ("charset=utf-8" if kind.startswith("text/") else "")
    assert answer.headers["cache-control"] == FOR_EVER
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_under_another_digest_a_file_is_what_it_is_now_and_not_kept(world: World) -> None:
    """A page of an older Brightroom goes on working, and no browser keeps the wrong one."""
    answer = world.client().get("/assets/0123456789ab/app.css")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_the_digest_tells_everything_that_is_served() -> None:
    """The same files, the same address."""
    assert Assets().digest == ASSETS.digest
    assert re.fullmatch(r"[0-9a-f]{12}", ASSETS.digest)


@pytest.mark.parametrize(
    "path",
    [
        "x/nothing.js", "x/js/", "x/../base.html", "x/..%2f..%2fapp.py", "x/%2e%2e/%2e%2e/etc/passwd", "x//etc/passwd",
        "x/templates/base.html", "x/words/en/shell.toml", "x/js/..%2fwords.js", "x/app.css%00", "x/app.css/x",
        "x/APP.CSS", "x/js%5cdom.js",
    ],
)  # fmt: skip
def test_nothing_else_is_served(world: World, path: str) -> None:
    """No template, no other file of the machine, whatever the address says."""
    assert world.client().get(f"/assets/{path}").status_code == 404


def test_pages_name_only_what_is_served(world: World) -> None:
    """Under the digest of now."""
    page = Page(browser(world, "root").get("/library"))
    named = {has.get("src") or has.get("href", "") for tag, has in page.elements if tag in ("script", "link", "img")}

    assert len(named) > 3
    for address in named:
        assert address.startswith((f"/assets/{ASSETS.digest}/", "/api/")), address
        assert world.as_user("root").get(address).status_code == 200, address


@pytest.mark.parametrize("name", CODE)
def test_a_module_imports_what_is_there_and_no_other_host(name: str) -> None:
    """By relative addresses, so that all are of one digest; every name that is imported is exported."""
    source = MODULES[name]
    for names, address in re.findall(IMPORT, source, re.M):
        assert address.startswith("./"), address
        other = MODULES[f"js/{address[2:]}"]
        for one in names.partition("{")[2].partition("}")[0].split(","):
            imported = one.split(" as ")[0].strip()
            assert not imported or re.search(EXPORTED.format(imported), other), f"{address} exports no {imported}"
    assert "import(" not in source
    assert set(re.findall(r"https?://[^\"'`\s]+", source)) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", CODE)
def test_no_module_makes_markup_or_code_out_of_text(name: str) -> None:
    """What people wrote stays text."""
    assert not re.search(MARKUP, re.sub(r"//.*", "", MODULES[name]))


def test_the_style_loads_nothing_and_knows_light_dark_phones_and_calm() -> None:
    """It is one file, with what the system of whoever reads it says."""
    assert not re.search(r"@import|url\(|expression\(", STYLE)
    assert "light-dark(" in STYLE
    assert "prefers-reduced-motion" in STYLE
    assert STYLE.count("{") == STYLE.count("}")


def test_every_colour_and_size_that_is_used_is_defined() -> None:
    """A property without a value would be none."""
    defined = set(re.findall(r"(--[\w-]+)\s*:", STYLE))
    set_by_script = set(re.findall(r"[\"'`](--[\w-]+)[\"'`]", "".join(MODULES.values())))

    assert set(re.findall(r"var\((--[\w-]+)\s*\)", STYLE)) <= defined | set_by_script


def test_pictures_are_drawings_without_scripts() -> None:
    """SVG can carry code."""
    for name, data in ASSETS.files.items():
        if name.endswith(".svg"):
            assert not re.search(rb"<script|\son\w+=|javascript:|<foreignObject|https?://(?!www\.w3\.org)", data), name
