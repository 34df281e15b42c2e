"""What the pages say is in one place: every text that is asked for is there, every one that is there is asked for."""

import re
from pathlib import Path

import pytest

import api
from api.pages.words import Words, catalogue

HERE = Path(api.__file__).parent
TEMPLATES = {file.name: file.read_text("utf8") for file in sorted((HERE / "web" / "templates").glob("*.html"))}
SCRIPTS = {file.name: file.read_text("utf8") for file in sorted((HERE / "web" / "js").glob("*.js"))}
PYTHON = {str(file): file.read_text("utf8") for file in sorted(HERE.rglob("*.py"))}
OTHERS = [
    file.read_text("utf8")
    for part in ("batch", "cluster", "serve_apps")
    for file in HERE.parent.glob(f"{part}/**/*.py")
]
SOURCES = {**TEMPLATES, **SCRIPTS, **PYTHON}
ALL = "\n".join([*SOURCES.values(), *OTHERS])
TEXTS = catalogue()
PAGES = "|".join(sorted({key.partition(".")[0] for key in TEXTS}))
KEY = rf"(?:{PAGES})\.[a-z0-9_]+"
CONSTANT = r"(?:'[^']*'|\((?:'[^']*'|\(\"[^\"]*\" if \w+ else \"[^\"]*\"\)|[\s+])+\))\s*\|\s*safe"
SAID_ALOUD = r"(?:aria-label|title|placeholder|alt|aria-description|aria-roledescription)=\"([^\"]*)\""


def built() -> set[str]:
    """The beginnings of keys whose rest is put to them where they are used, and all of those that `named` takes."""
    joined = re.findall(rf"[\"'`]((?:{PAGES})\.[a-z0-9_]*)(?:[\"']\s*[+~]|\$?\{{)", ALL)
    named = re.findall(
        rf"named\(\s*[\"'`]((?:{PAGES}))[\"'`],\s*(?:[\"'`]([a-z0-9_-]*?)[_-]?(?:[\"']\s*[+~]|\$\{{))?", ALL
    )
    counted = re.findall(rf"counted\(\s*[\"'`]((?:{PAGES}))[\"'`]", ALL)
    return {
        *joined,
        *(f"{page}.{start}" for page, start in named),
        *(f"{page}.{what}_" for page in counted for what in ("n", "size")),
    }


def used(key: str, beginnings: set[str]) -> bool:
    """Whether a text is asked for: by its whole key, or as a beginning with a word that is somewhere in the code."""
    quoted = rf"[\"'`]{re.escape(key)}[\"'`]"
    start, _, end = key.rpartition("_")
    joined = rf"[\"'`]{re.escape(start)}[\"'`]"
    if re.search(quoted, ALL) or (re.search(joined, ALL) and re.search(rf"\+ [\"']_{end}[\"']", ALL)):
        return True
    rests = [key.removeprefix(start).removesuffix("_what").strip("_") for start in beginnings if key.startswith(start)]
    return any(re.search(rf"\b(?:bytes_)?{re.escape(rest).replace('_', '[_ -]')}\b", ALL) for rest in rests)


def test_every_text_that_is_asked_for_is_there() -> None:
    """By its whole key, in templates, scripts and Python."""
    asked = set()
    for name, source in SOURCES.items():
        asks = rf"(?:\bt|\bWORDS|\bwords)\(\s*[\"']({KEY})[\"']\s*[,)]"
        asked |= {(key, name) for key in re.findall(asks, source)}
        asked |= {
            (key, name)
            for key in re.findall(rf"[\"']({KEY})[\"']\s+(?:if|else)\b|\b(?:if|else)\s+[\"']({KEY})[\"']", source)
            for key in key
            if key
        }

    assert len(asked) > 100
    assert [one for one in sorted(asked) if one[0] not in TEXTS] == []


def test_every_text_that_is_there_is_asked_for() -> None:
    """Nobody translates what nobody reads."""
    beginnings = built()

    assert [key for key in TEXTS if not used(key, beginnings)] == []


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_has_no_text_of_its_own(name: str) -> None:
    """Nor a label that is read out; keys on a keyboard are called what they are called."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", TEMPLATES[name], flags=re.S)
    text = re.sub(r"<kbd>[^<]*</kbd>|\sdata-[\w-]+(?:=\"[^\"]*\")?|\shidden\b", "", text)

    assert re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", " ", text)) == []
    assert [one for one in re.findall(SAID_ALOUD, text) if re.search(r"[^\W\d_]{2,}", one)] == []


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_has_no_sentences_of_its_own(name: str) -> None:
    """What people read comes out of the words; errors that only a console sees begin in lower case."""
    code = re.sub(r"^\s*(//|/?\*).*$|\s//\s.*$", "", SCRIPTS[name], flags=re.M)

    assert re.findall(r"[\"'`][A-Z][a-z]+(?:,? [a-z’']+)+[^\"'`]*[\"'`]", code) == []


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_marks_nothing_as_safe(name: str) -> None:
    """All that is shown is text, whoever wrote it, but for constants; and every attribute has quotes around it."""
    variable = re.sub(CONSTANT, "", TEMPLATES[name])

    assert not re.search(r"\|\s*safe\b|autoescape|Markup\(", variable)
    assert not re.findall(r"\s[a-z-]+=\{\{", TEMPLATES[name])


def test_places_in_texts_are_plain_names() -> None:
    """And a text that counts says both."""
    for key, text in TEXTS.items():
        for one in text.values() if isinstance(text, dict) else [text]:
            assert re.fullmatch(r"(?:[^{}]|\{[a-z_]+\})*", one), key
            assert one.strip() == one, key
            assert one, key
        if isinstance(text, dict):
            assert set(text) == {"one", "other"}, key


def test_words_count_and_fill_places() -> None:
    """Numbers that count are written as people read them."""
    words = Words({"a.days": {"one": "{n} day", "other": "{n} days"}, "a.hello": "Hello {name}"})

    assert words("a.days", n=1) == "1 day"
    assert words("a.days", n=12345) == "12,345 days"
    assert words("a.hello", name="{n} <b>") == "Hello {n} <b>"
    assert words.named("a", "no-such_thing") == "no-such thing"
    with pytest.raises(KeyError):
        words("a.nothing")


def test_scripts_have_the_same_words() -> None:
    """As one module; signs that would end a script's text are text."""
    module = Words({"a.b": 'x"\\ \u2028 </script>'}).as_module()

    assert module.startswith("export default {")
    assert '\\"' in module
