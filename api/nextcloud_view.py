"""A connection to a Nextcloud, and folders on it, as their owner sees them. Nothing here knows a password."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from api.deps import Deps
from api.job_view import JobView, viewed
from batch.connections import Connections
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.listing import Item
from batch.turns import SCAN_NEXTCLOUD
from cluster.errors import Invalid
from cluster.machine import disk
from cluster.store.sources import Source, State

MOST_FOLDERS = 10_000  # of one folder, in an answer
GB = 1_000_000_000
MAKE_ONE = (
    "This is the password of the account itself. Make an app password in Nextcloud (Settings, Security) and enter "
    "that: it is for Brightroom only, and can be taken back by itself."
)
FULL = (
    "Less than {least:g} GB are free on this disk, so nothing is downloaded. Make room, or have an administrator "
    "change nextcloud.least_free_gb."
)
NO_ROOM = (
    "The account holds {used:.1f} GB, and {free:.1f} GB are free on this disk. Choose some of its folders, or keep "
    "no originals (keep_originals: false)."
)

NO_PATH = "This is no path of a folder on the server; take one that it tells itself."

Shown: TypeAlias = Literal["none"] | State


class NextcloudView(msgspec.Struct, frozen=True):
    """One's own connection, or that there is none. Green is `connected`; everything else has its sentence in `told`."""

    state: Shown
    told: str = ""
    configured: bool = False  # whether a password is stored; the password itself is never told
    server: str = ""
    login: str = ""
    version: str = ""  # of the server
    app_password: bool = False
    used: int = -1  # bytes of the account, -1 where the server does not tell
    free: int = -1  # bytes that the account may still take, -1 where not told or without a limit
    free_here: int = -1  # bytes on the disk that photos are downloaded to
    folders: list[str] = []  # that are scanned, with all below them; none yet: nothing is
    excludes: list[str] = []  # globs
    keep_originals: bool = True
    advice: list[str] = []  # sentences about what could be better
    connected_at: datetime | None = None
    checked_at: datetime | None = None
    last_scan: JobView | None = None


class FolderView(msgspec.Struct, frozen=True):
    """A folder on the server."""

    path: str
    name: str
    count: int  # of what is in it, -1 where the server does not tell
    size: int  # bytes of all below it, -1 where the server does not tell
    chosen: bool  # whether it is scanned, by itself or with a folder above it


class FoldersView(msgspec.Struct, frozen=True):
    """What is in one folder on the server, folders by name."""

    path: str
    files: int
    folders: list[FolderView]
    more: bool  # whether folders were left out, as there are too many
    refused: int  # entries that were left out, because their names cannot be meant well


def shown(deps: Deps, user_id: str) -> NextcloudView:
    """A user's connection; blocks, and asks no server."""
    source = deps.system.sources.find(user_id)
    return view(deps, source) if source else NextcloudView("none")


def view(deps: Deps, source: Source) -> NextcloudView:
    """A connection with what goes with it."""
    own, usual = source.keep_originals, deps.settings.nextcloud.keep_originals
    keeps, here = usual if own is None else own, disk(deps.settings.root)
    free_here = here.free if here else -1
    jobs = deps.system.jobs.list(source.user_id, 1, action=SCAN_NEXTCLOUD)
    facts = {name: getattr(source, name) for name in NextcloudView.__struct_fields__ if hasattr(source, name)}
    least_gb = deps.settings.nextcloud.least_free_gb
    more = {
        "configured": True, "keep_originals": keeps, "free_here": free_here,
        "advice": advice(source, keeps, free_here, least_gb),
        "last_scan": viewed(jobs[0], deps.jobs) if jobs else None,
    }  # fmt: skip
    return NextcloudView(**{**facts, **more})


def advice(source: Source, keeps: bool, free_here: int, least_gb: float) -> list[str]:
    """What could be better about a connection. Room is judged by all of the account, as far as its size is told."""
    found = [] if source.app_password else [MAKE_ONE]
    if free_here < 0 or not keeps:
        return found
    if free_here < least_gb * GB:
        return [*found, FULL.format(least=least_gb)]
    if source.used > free_here - least_gb * GB:
        return [*found, NO_ROOM.format(used=source.used / GB, free=free_here / GB)]
    return found


def folders_of(connections: Connections, source: Source, path: str) -> FoldersView:
    """What is in a folder of a connection; what is wrong with the connection is noted. Blocks."""
    with connections.noting(source):
        return folders(connections.account(source), checked_path(path), source.folders)


def folders(cloud: Nextcloud, path: str, chosen: list[str]) -> FoldersView:
    """What is in a folder on the server; blocks, and raises what goes wrong with one."""
    files, left_out, refused, found = 0, 0, list[str](), list[Item]()
    for item in cloud.list(path, lambda href, reason: refused.append(reason)):
        if item.path == path:
            continue
        if not item.is_folder:
            files += 1
        elif len(found) < MOST_FOLDERS:
            found.append(item)
        else:
            left_out += 1
    seen = [folder(item, chosen) for item in sorted(found, key=name_of)]
    return FoldersView(path, files, seen, left_out > 0, len(refused))


def folder(item: Item, chosen: list[str]) -> FolderView:
    """A folder as people see it."""
    return FolderView(item.path, name_of(item), item.count, item.size, is_chosen(item.path, chosen))


def is_chosen(path: str, chosen: list[str]) -> bool:
    """Whether a folder is one of those that are chosen, or below one."""
    return any(one in ("", path) or path.startswith(f"{one}/") for one in chosen)


def checked_path(path: str) -> str:
    """A folder's path as the server has it, "" for the topmost; raises Invalid for one that no folder can have."""
    inner = path.strip("/")
    if "\0" in inner or any(part in ("", ".", "..") for part in inner.split("/") if inner):
        raise Invalid(NO_PATH)
    return inner


def name_of(item: Item) -> str:
    """The last part of a path."""
    return item.path.rpartition("/")[2]
