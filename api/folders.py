"""Folders on the server, for an administrator who chooses where somebody's photos are. Only folders, and only names."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api.access import ADMIN
from api.deps import Given
from api.users import checked_folder
from cluster.errors import Invalid
from cluster.settings import Settings

MOST = 2000  # folders of one folder
STARTS = ("/photos", "/mnt", "/media", "/srv", "/home", "/data", "/volume1")  # where photos usually are


class ServerFolder(msgspec.Struct, frozen=True):
    """A folder in a folder."""

    path: str
    name: str


class ServerFolders(msgspec.Struct, frozen=True):
    """What folders are in a folder of the server."""

    path: str
    parent: str  # "" of the topmost
    folders: list[ServerFolder]
    more: bool  # whether some were left out
    refused: str  # why this very folder cannot be scanned, "" when it can
    suggested: list[ServerFolder]  # where photos usually are


@get("/folders", opt=ADMIN, sync_to_thread=True, summary="Folders on the server")
def list_folders(
    deps: Given, path: Annotated[str, QueryParameter(max_length=4096, description="an absolute path")] = "/"
) -> ServerFolders:
    """The folders in one folder of the machine that answers, by name, without hidden ones.

    Those whose names are no text cannot be chosen, and are left out.
    """
    if "\0" in path or not os.path.isabs(path) or not os.path.isdir(path):
        raise Invalid("This folder is not there. Go up, and choose one that is.")
    folder = Path(path).resolve()
    found = inside(folder)
    shown = [ServerFolder(str(folder / name), name) for name in found[:MOST]]
    parent = "" if folder == folder.parent else str(folder.parent)
    return ServerFolders(str(folder), parent, shown, len(found) > MOST, refused(folder, deps.settings), suggested())


def inside(folder: Path) -> list[str]:
    """The names of the folders in a folder; none of one that may not be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name for entry in entries if entry.is_dir() and is_text(entry.name)), key=str.casefold)
    except OSError:
        return []


def is_text(name: str) -> bool:
    """Whether a name is one that a person could type, and not hidden."""
    return name.isprintable() and not name.startswith(".")


def refused(folder: Path, settings: Settings) -> str:
    """Why a folder cannot be anybody's scan directory, "" when it can."""
    try:
        checked_folder(str(folder), settings)
    except Invalid as error:
        return str(error)
    return ""


def suggested() -> list[ServerFolder]:
    """The places where photos usually are, of those that there are."""
    return [ServerFolder(path, path) for path in STARTS if os.path.isdir(path)]
