"""Who gave which settings: the file or a variable of the environment, by key. Holds no value, and knows no setting."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Origins(msgspec.Struct, frozen=True):
    """What gave each key that anything gave; a key that is not here has its default."""

    file: str = ""  # that was read; "" where none was
    givers: Mapping[str, str] = {}  # by key: that file, or the name of a variable
    secrets: Mapping[str, bool] = {}  # variables that are no settings, and whether they were set: never what to


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The keys, with dots, under which a tree has something; what is empty or no mapping is a leaf."""
    for name, branch in tree.items():
        if isinstance(branch, Mapping) and branch:
            yield from leaves(branch, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def variable_of(key: str, prefix: str) -> str:
    """The variable that gives a key, its own or that of a branch above it; "" where none does."""
    parts, there = key.upper().split("."), {name.upper(): name for name in os.environ}
    names = [prefix + "__".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    return next((there[name] for name in names if name in there), "")
