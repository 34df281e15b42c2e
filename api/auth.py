"""Logging in and out. Browsers get a cookie that scripts cannot read, programs a token; both are one session each."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation

from api.access import PUBLIC, USER
from api.cookies import expired_cookie, session_cookie
from api.deps import Deps, Given, Me
from api.limits import LoginLimit
from api.logins import Logins
from api.passwords import LONGEST
from api.users import Secret, UserView, shown
from cluster.errors import Denied, Unauthenticated
from cluster.store.users import User, key_of

Doors = NamedDependency[SkipValidation[Logins]]
Limit = NamedDependency[SkipValidation[LoginLimit]]

WRONG = "The name or the password is wrong. Check both and try again."
WRONG_OLD = "The old password is wrong. Type it again."
LABEL = 100  # characters


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to log in, and how the session is to be kept."""

    name: Annotated[str, msgspec.Meta(max_length=256)]
    password: Secret
    bearer: bool = False  # true: the answer has a token for Authorization: Bearer, and sets no cookie
    label: Annotated[str, msgspec.Meta(max_length=LABEL)] = ""  # what the session is called


class LoggedIn(msgspec.Struct, frozen=True):
    """Who is logged in now, and the token when one was asked for. It is told this once."""

    user: UserView
    token: str | None = None


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's own new password, and the one it replaces."""

    old: Annotated[str, msgspec.Meta(max_length=LONGEST)]
    new: Secret


@post("/login", opt=PUBLIC, status_code=200, summary="Log in")
async def login(
    request: Request[Any, Any, Any], data: JSONBody[Credentials], deps: Given, login_limit: Limit, logins: Doors
) -> Response[LoggedIn]:
    """Open a session: by cookie for browsers, or with `bearer` by a token for programs.

    After some failures an account, and an address, has to wait longer and longer: 429 with Retry-After.
    """
    user = await identified(deps, login_limit, data.name, data.password, request.state["address"])
    label = data.label or request.headers.get("user-agent", "")[:LABEL]
    token = await asyncio.to_thread(logins.open, user, label)
    if data.bearer:
        return Response(LoggedIn(shown(user), token))
    return Response(LoggedIn(shown(user)), cookies=[session_cookie(token, deps.settings.api)])


@post("/logout", opt=USER, status_code=204, sync_to_thread=True, summary="Log out")
def logout(
    request: Request[Any, Any, Any],
    deps: Given,
    logins: Doors,
    everywhere: Annotated[bool, QueryParameter(description="end all of the user's sessions")] = False,
) -> Response[None]:
    """End this session, or all of one's own, at once."""
    if everywhere:
        logins.end_all(request.user.user_id)
    else:
        logins.end(request.auth)
    return Response(None, status_code=204, cookies=[expired_cookie(deps.settings.api)])


@get("/me", opt=USER, sync_to_thread=False, summary="Who is logged in")
def me(user: Me) -> UserView:
    """The user of this session."""
    return shown(user)


@post("/password", opt=USER, status_code=204, summary="Change one's password")
async def password(
    request: Request[Any, Any, Any], data: JSONBody[PasswordChange], deps: Given, login_limit: Limit, logins: Doors
) -> None:
    """Replace one's own password; all other sessions end. 403 when the old one is wrong: one stays logged in."""
    try:
        user = await identified(deps, login_limit, request.user.name, data.old, request.state["address"])
    except Unauthenticated:
        raise Denied(WRONG_OLD) from None
    hashed = await deps.passwords.hashed(data.new)
    await asyncio.to_thread(deps.system.users.set_password, user.user_id, hashed)
    await asyncio.to_thread(logins.end_all, user.user_id, request.auth.session.session_id)


async def identified(deps: Deps, limit: LoginLimit, name: str, secret: str, client: str) -> User:
    """The user of a name and password; raises Unauthenticated, or TooMany after too many failures."""
    async with limit.attempt(key_of(name), client) as attempt:
        found = await asyncio.to_thread(deps.system.users.by_name, name)
        user = found if found and not found.disabled else None
        attempt.right = await deps.passwords.matches(secret, user.password_hash if user else None)
    if user is None or not attempt.right:
        raise Unauthenticated(WRONG)
    if deps.passwords.outdated(user.password_hash):
        hashed = await deps.passwords.hashed(secret)
        await asyncio.to_thread(deps.system.users.set_password, user.user_id, hashed)
    return user


ROUTES = Router("/api/auth", route_handlers=[login, logout, me, password], tags=["session"])
