"""One's own Nextcloud over HTTP: connecting, how the connection is, choosing folders, disconnecting.

Nobody sees or changes another's, administrators neither; the password goes in and never comes out. Scanning is a
Library action. What is asked of servers is `batch/connections.py`'s business.
"""

import asyncio
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from api.access import USER
from api.consents import LASTS_S, Consents
from api.deps import Clouds, Deps, Given, Me
from api.job_view import JobView, viewed
from api.limits import AskingLimit
from api.nextcloud_view import FoldersView, NextcloudView, checked_path, folders_of, shown
from batch.connections import Connections, cancel_scans
from batch.turns import LEAVE_NEXTCLOUD
from cluster.errors import Invalid

MOST = 1000  # folders, and globs
BODY_BYTES = 5 * 2**20  # of a request: that many long paths
SAY_WHETHER = "Say whether the photos from there stay: ?keep=true, or ?keep=false to move them into the trash."

Path: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]
Glob: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Server: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Asking = NamedDependency[SkipValidation[AskingLimit]]
Waiting = NamedDependency[SkipValidation[Consents]]


class Connect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account on a server, and its password: an app password, made in Nextcloud's security settings."""

    server: Server  # https://cloud.example
    login: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]

    def __repr__(self) -> str:
        return f"Connect({self.server!r}, {self.login!r})"


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be scanned, and whether originals are kept; what is left out stays as it is."""

    folders: Annotated[list[Path], msgspec.Meta(max_length=MOST)] | msgspec.UnsetType = msgspec.UNSET
    excludes: Annotated[list[Glob], msgspec.Meta(max_length=MOST)] | msgspec.UnsetType = msgspec.UNSET
    keep_originals: bool | msgspec.UnsetType | None = msgspec.UNSET  # null: as the settings say


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server on which somebody wants to consent in the browser, instead of typing a password here."""

    server: Server


class LoginView(msgspec.Struct, frozen=True):
    """A consent that is waited for, or the connection that came of it."""

    login_id: str
    granted: bool
    url: str = ""  # to be opened in the browser; told when it begins
    expires_in_s: int = 0
    nextcloud: NextcloudView | None = None  # once it is granted


class Disconnected(msgspec.Struct, frozen=True):
    """What became of a connection that is no more."""

    revoked: bool  # whether the server made its app password void, which it had made for us
    job: JobView | None  # it moves the photos into the trash, where they are not to stay


@get("/", opt=USER, sync_to_thread=True, summary="One's Nextcloud")
def show_nextcloud(deps: Given, user: Me) -> NextcloudView:
    """How one's own connection is, as it was last checked; `state` is `none` where there is none."""
    return shown(deps, user.user_id)


@put("/", opt=USER, summary="Connect a Nextcloud")
async def connect_nextcloud(
    deps: Given, user: Me, data: JSONBody[Connect], connections: Clouds, asking: Asking
) -> NextcloudView:
    """Try an account, and keep it when it works; otherwise the problem says why it does not.

    A new password for the same account keeps what was chosen. 409 while another account is connected. After some
    failures one has to wait longer and longer: 429 with Retry-After.
    """
    async with asking.trial(user.user_id):
        await asyncio.to_thread(connections.connect, user.user_id, data.server, data.login, data.password)
    return await asyncio.to_thread(shown, deps, user.user_id)


@patch("/", opt=USER, sync_to_thread=True, request_max_body_size=BODY_BYTES, summary="Choose what is scanned of it")
def choose_nextcloud(deps: Given, user: Me, data: JSONBody[Choice]) -> NextcloudView:
    """Choose folders (with all below them; "" is everything), globs to leave out, and whether originals are kept."""
    there = deps.system.sources.get(user.user_id)
    chosen, excludes = there.folders, there.excludes
    if isinstance(data.folders, list):
        chosen = sorted({checked_path(path) for path in data.folders})
    if isinstance(data.excludes, list):
        excludes = list(dict.fromkeys(data.excludes))
    keeps = there.keep_originals if data.keep_originals is msgspec.UNSET else data.keep_originals
    deps.system.sources.choose(user.user_id, chosen, excludes, keeps)
    return shown(deps, user.user_id)


@delete("/", opt=USER, status_code=200, summary="Disconnect it")
async def disconnect_nextcloud(
    deps: Given,
    user: Me,
    connections: Clouds,
    waiting: Waiting,
    asking: Asking,
    keep: Annotated[bool | None, QueryParameter(description="whether the photos from there stay")] = None,
) -> Disconnected:
    """Forget the account and its password; `keep` says whether its photos stay or go into the trash. 400 without it.

    A scan of it that is under way is cancelled.
    """
    if keep is None:
        raise Invalid(SAY_WHETHER)
    waiting.forget(user.user_id)
    async with asking.question(user.user_id):
        return await asyncio.to_thread(disconnect, deps, connections, user.user_id, keep)


@get("/folders", opt=USER, summary="Folders on it")
async def list_nextcloud_folders(
    deps: Given,
    user: Me,
    connections: Clouds,
    asking: Asking,
    path: Annotated[
        str, QueryParameter(description="the folder to look into; nothing: the topmost", max_length=4096)
    ] = "",
) -> FoldersView:
    """The folders in a folder on the server, as it tells them now."""
    source = await asyncio.to_thread(deps.system.sources.get, user.user_id)
    async with asking.question(user.user_id):
        return await asyncio.to_thread(folders_of, connections, source, path)


@post("/check", opt=USER, status_code=200, summary="Check the connection")
async def check_nextcloud(deps: Given, user: Me, connections: Clouds, asking: Asking) -> NextcloudView:
    """Ask the server how the connection is; one that was refused is not tried again before a new password is there."""
    async with asking.question(user.user_id):
        await asyncio.to_thread(connections.check, user.user_id)
    return await asyncio.to_thread(shown, deps, user.user_id)


@post("/login", opt=USER, status_code=200, summary="Connect by consent in the browser")
async def begin_nextcloud_login(user: Me, data: JSONBody[Login], waiting: Waiting, asking: Asking) -> LoginView:
    """Begin to wait for consent on the server's own page: open `url`, then ask for the login until it is granted."""
    async with asking.trial(user.user_id):
        begun = await asyncio.to_thread(waiting.begin, user.user_id, data.server)
    return LoginView(begun.login_id, False, begun.url, LASTS_S)


@get("/login/{login_id:str}", opt=USER, summary="Whether consent was given")
async def poll_nextcloud_login(
    deps: Given, user: Me, login_id: FromPath[str], waiting: Waiting, asking: Asking
) -> LoginView:
    """Ask the server once whether consent was given; when it was, the connection is tried and kept."""
    async with asking.question(user.user_id):
        granted = await asyncio.to_thread(waiting.poll, user.user_id, login_id)
    if not granted:
        return LoginView(login_id, False)
    return LoginView(login_id, True, nextcloud=await asyncio.to_thread(shown, deps, user.user_id))


def disconnect(deps: Deps, connections: Connections, user_id: str, keep: bool) -> Disconnected:
    """Forget a connection, when its photos are seen to; blocks."""
    deps.system.sources.get(user_id)
    cancel_scans(deps.system, deps.jobs.cancel, user_id)
    leaving = None if keep else deps.jobs.start(user_id, LEAVE_NEXTCLOUD, {}, user_id)
    revoked = connections.disconnect(user_id)
    return Disconnected(revoked, viewed(leaving, deps.jobs, deps.library) if leaving else None)


HANDLERS: list[Any] = [
    show_nextcloud, connect_nextcloud, choose_nextcloud, disconnect_nextcloud, list_nextcloud_folders, check_nextcloud,
    begin_nextcloud_login, poll_nextcloud_login,
]  # fmt: skip
ROUTES = Router("/api/nextcloud", route_handlers=HANDLERS, tags=["nextcloud"])
