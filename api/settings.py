"""The settings for administrators, to read: each with its value, its default and who gave it. Nothing changes any here.

A secret, or what may be one by its name, is told as set or not set. Models that were chosen since are told by services.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from litestar import get
from pydantic_core import PydanticUndefined, to_jsonable_python

from api.access import ADMIN
from api.deps import Given
from cluster.branches import Part
from cluster.redaction import NAME, redacted
from cluster.settings import ModelSpec, Settings

SERVICES = "services"
MARKED = "set"  # instead of a secret


class SettingView(msgspec.Struct, frozen=True):
    """One setting. A secret's value is "set", or null."""

    key: str  # as in configs/README.md: scan.batch_size
    section: str  # scan, services.tags; "" for what has none
    description: str
    value: Any
    default: Any  # null for none, and where the kind of model has one of its own
    source: Literal["default", "file", "variable", "program"]  # the last: whoever started Brightroom, in its own words
    giver: str  # the file's path or the variable's name
    secret: bool


class SettingsView(msgspec.Struct, frozen=True):
    """All settings, in the order of configs/README.md."""

    file: str  # that was read; "" where none was
    settings: list[SettingView]


@get("/settings", opt=ADMIN, sync_to_thread=False, summary="The settings, and where each comes from")
def show_settings(deps: Given) -> SettingsView:
    """Every setting with its value, its default, and whether a file, a variable or nobody gave it; no secret."""
    origins = deps.settings.origins
    secrets = [kept(name, there) for name, there in origins.secrets.items()]
    return SettingsView(origins.file, [*viewed(deps.settings), *secrets])


def viewed(settings: Settings) -> Iterator[SettingView]:
    """Every setting of a tree."""
    for key, value, default, description in entries(settings):
        source, giver = told(key, value, default, settings)
        secret = is_secret(key, value)
        yield SettingView(
            key, section_of(key), description, shown(value, secret), None if secret else plain(default), source, giver,
            secret,
        )  # fmt: skip


def entries(part: Part, above: str = "") -> Iterator[tuple[str, Any, Any, str]]:
    """The keys below a branch, each with its value, default and description."""
    for name, field in type(part).model_fields.items():
        key, value, about = above + name, getattr(part, name), field.description or ""
        default = None if field.default is PydanticUndefined else field.default
        if isinstance(value, Part):
            yield from entries(value, f"{key}.")
        elif isinstance(value, Mapping) and value:
            yield from mapped(value, f"{key}.", about)
        else:
            yield key, value, default, about


def mapped(branch: Mapping[str, Any], above: str, about: str) -> Iterator[tuple[str, Any, Any, str]]:
    """The keys below a mapping: of services, or of what a kind of model is told."""
    for name, value in branch.items():
        if isinstance(value, ModelSpec):
            yield from entries(value, f"{above}{name}.")
        else:
            yield above + name, value, None, about


def told(key: str, value: Any, default: Any, settings: Settings) -> tuple[Any, str]:
    """Where a value comes from, and the name of that."""
    origins = settings.origins
    if giver := origins.givers.get(key):
        return ("file" if giver == origins.file else "variable"), giver
    return ("default" if origins.file or value == default else "program"), ""


def section_of(key: str) -> str:
    """The branch that a key belongs to; of services each is one."""
    parts = key.split(".")
    return ".".join(parts[:2]) if parts[0] == SERVICES and len(parts) > 2 else ".".join(parts[:-1])


def is_secret(key: str, value: Any) -> bool:
    """Whether a value may be a secret by its name: numbers are none, whatever they count."""
    return bool(NAME.search(key.rpartition(".")[2])) and (value is None or isinstance(value, str))


def shown(value: Any, secret: bool) -> Any:
    """A value as JSON, without what is secret."""
    return (MARKED if value else None) if secret else plain(value)


def plain(value: Any) -> Any:
    """A value as JSON, without passwords in addresses."""
    ready = to_jsonable_python(value)
    if isinstance(ready, list):
        return [plain(one) for one in ready]
    return redacted(ready) if isinstance(ready, str) else ready


def kept(name: str, there: bool) -> SettingView:
    """A variable that holds secrets, and so is no setting."""
    about = "keys that passwords for other servers are sealed with, instead of a key file"
    return SettingView(name, "", about, MARKED if there else None, None, "variable" if there else "default", name, True)
