"""What the pages say, in one place: `api/web/words/LANGUAGE/PAGE.toml`, each text under a name, ready for translation.

A text has `{places}` for values. One that counts is a table with `one` and `other`, chosen by its value `n`.
"""

import json
import tomllib
from importlib.resources import files
from typing import Any

LANGUAGE = "en"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def catalogue(language: str = LANGUAGE) -> dict[str, Any]:
    """Every text of a language by `page.name`."""
    found: dict[str, Any] = {}
    for file in sorted((files("api") / "web" / "words" / language).iterdir(), key=lambda one: one.name):
        page = file.name.removesuffix(".toml")
        found |= {f"{page}.{name}": text for name, text in tomllib.loads(file.read_text("utf8")).items()}
    return found


def size(value: float) -> str:
    """Bytes in the unit that suits them."""
    unit = 0
    while abs(value) >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.1f} {UNITS[unit]}"


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


class Words:
    """The texts of a language."""

    def __init__(self, texts: dict[str, Any]) -> None:
        self.texts = texts

    def __call__(self, key: str, **values: Any) -> str:
        """A text with its values; raises KeyError for one that is not there."""
        text = self.texts[key]
        if isinstance(text, dict):
            text = text["one" if values["n"] == 1 else "other"]
            values["n"] = f"{values['n']:,}"
        return str(text).format_map(values) if values else str(text)

    def named(self, prefix: str, name: str) -> str:
        """The text `prefix.name`; a name that nobody wrote a text for is shown as it is."""
        key = f"{prefix}.{name.replace('-', '_')}"
        return self(key) if key in self.texts else name.replace("_", " ")

    def counted(self, prefix: str, name: str, n: int) -> str:
        """So many of what `prefix.n_name` counts, in words; what nobody wrote a text for is called by its name.

        Of `bytes_name` the text is `prefix.size_name`.
        """
        if name.startswith("bytes_") and (key := f"{prefix}.size_{name[6:]}") in self.texts:
            return self(key, size=size(n))
        key = f"{prefix}.n_{name.replace('-', '_').replace(' ', '_')}"
        return self(key, n=n) if key in self.texts else f"{n:,} {name.replace('_', ' ')}"

    def as_module(self) -> str:
        """All texts as a JavaScript module."""
        return f"export default {json.dumps(self.texts, ensure_ascii=False)};\n"


WORDS = Words(catalogue())
