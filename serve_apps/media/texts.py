"""Texts and numbers out of untrusted metadata, made harmless: plain text of bounded length, numbers that are numbers.

Leaves out escaping for HTML or logs, which is for whoever prints them.
"""

import math
import unicodedata
from collections.abc import Iterable

NAME_LENGTH, LINE_LENGTH, PARAGRAPH_LENGTH, LIST_LENGTH = 200, 500, 4000, 500  # as the types of protocol.py have it
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")  # turn a line round
UNSAFE = ("Cc", "Cs", "Co", "Cn")  # control characters, halves of characters, and what is no character


def name(text: object) -> str:
    """A short text on one line, empty when there is none."""
    return clean(text, NAME_LENGTH)


def line(text: object) -> str:
    """A title on one line."""
    return clean(text, LINE_LENGTH)


def paragraph(text: object) -> str:
    """A longer text, still on one line."""
    return clean(text, PARAGRAPH_LENGTH)


def names(texts: Iterable[object]) -> list[str]:
    """Short texts in their order, each once."""
    kept = dict.fromkeys(cleaned for text in texts if (cleaned := name(text)))
    return list(kept)[:LIST_LENGTH]


def clean(text: object, length: int) -> str:
    """Text without control and direction characters, its white space single, cut to a length."""
    if isinstance(text, bytes):
        text = text.split(b"\0")[0].decode("utf-8", "replace")
    if not isinstance(text, str):
        return ""
    letters = (" " if letter.isspace() else letter for letter in text[: 4 * length])
    safe = "".join(letter for letter in letters if not is_unsafe(letter))
    return " ".join(safe.split())[:length].strip()


def is_unsafe(letter: str) -> bool:
    """Whether a character could do more than be seen."""
    return letter in DIRECTIONS or unicodedata.category(letter) in UNSAFE


def number(value: object) -> float | None:
    """A finite number of a text, an integer, a float or a ratio; None for anything else."""
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if math.isfinite(found) else None


def within(value: object, least: float, most: float) -> float | None:
    """A number between two bounds, to nine places; else None."""
    found = number(value)
    return round(found, 9) if found is not None and least <= found <= most else None
