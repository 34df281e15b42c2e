"""Users, as administrators see and change them. Nobody is deleted: a disabled user keeps their library."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from api.access import ADMIN
from api.deps import Given
from api.logins import Logins
from api.passwords import LONGEST, SHORTEST
from cluster.errors import Conflict, Invalid
from cluster.settings import Settings
from cluster.store.users import User

Doors = NamedDependency[SkipValidation[Logins]]

Secret: TypeAlias = Annotated[str, msgspec.Meta(min_length=SHORTEST, max_length=LONGEST)]
Folder: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]


class UserView(msgspec.Struct, frozen=True):
    """A user without secrets."""

    user_id: str
    name: str
    admin: bool
    disabled: bool
    scan_directory: str
    created_at: datetime


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to be."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Secret
    admin: bool = False
    scan_directory: Folder = ""


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change about a user; what is left out stays."""

    admin: bool | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    scan_directory: Folder | msgspec.UnsetType = msgspec.UNSET


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password that replaces a forgotten one."""

    password: Secret


@get("/", opt=ADMIN, sync_to_thread=True, summary="All users")
def list_users(deps: Given) -> list[UserView]:
    """All users, by name."""
    return [shown(user) for user in deps.system.users.list()]


@post("/", opt=ADMIN, summary="Create a user")
async def create_user(data: JSONBody[NewUser], deps: Given) -> UserView:
    """A new user with an empty library; 409 when the name is taken."""
    folder = await asyncio.to_thread(checked_folder, data.scan_directory, deps.settings)
    hashed = await deps.passwords.hashed(data.password)
    return shown(await asyncio.to_thread(deps.system.users.create, data.name, hashed, data.admin, folder))


@get("/{user_id:str}", opt=ADMIN, sync_to_thread=True, summary="One user")
def show_user(user_id: FromPath[str], deps: Given) -> UserView:
    """A user by id."""
    return shown(deps.system.users.get(user_id))


@patch("/{user_id:str}", opt=ADMIN, sync_to_thread=True, summary="Change a user")
def change_user(
    request: Request[Any, Any, Any], user_id: FromPath[str], data: JSONBody[UserChange], deps: Given, logins: Doors
) -> UserView:
    """Disable or enable a user, change their rights or their scan directory. Disabling ends all of their sessions."""
    users = deps.system.users
    if user_id == request.user.user_id and (data.disabled is True or data.admin is False):
        raise Conflict("You cannot lock yourself out. Ask another administrator to do it.")
    if data.scan_directory is not msgspec.UNSET:
        users.set_scan_directory(user_id, checked_folder(data.scan_directory, deps.settings))
    if data.admin is not msgspec.UNSET:
        users.set_admin(user_id, data.admin)
    if data.disabled is not msgspec.UNSET:
        users.set_disabled(user_id, data.disabled)
    logins.end_all(user_id) if data.disabled is True else logins.forget(user_id)
    return shown(users.get(user_id))


@post("/{user_id:str}/password", opt=ADMIN, status_code=204, summary="Reset a user's password")
async def reset_password(user_id: FromPath[str], data: JSONBody[NewPassword], deps: Given, logins: Doors) -> None:
    """Give a user a new password; all of their sessions end."""
    hashed = await deps.passwords.hashed(data.password)
    await asyncio.to_thread(deps.system.users.set_password, user_id, hashed)
    await asyncio.to_thread(logins.end_all, user_id)


def shown(user: User) -> UserView:
    """A user as they are told to people."""
    return msgspec.convert(user, UserView, from_attributes=True)


def checked_folder(folder: str, settings: Settings) -> str:
    """A scan directory as it is kept, empty for none. Raises Invalid for one that cannot be scanned."""
    if not folder:
        return ""
    path = Path(folder)
    if "\0" in folder or not path.is_absolute() or not path.is_dir():
        raise Invalid("scan_directory must be the absolute path of an existing folder on the server.")
    path, root = path.resolve(), settings.root.resolve()
    if path.is_relative_to(root) or root.is_relative_to(path):
        raise Invalid("Photos must lie outside the folder that Brightroom keeps its own data in. Choose another.")
    return str(path)


ROUTES = Router(
    "/api/users", route_handlers=[list_users, create_user, show_user, change_user, reset_password], tags=["users"]
)
