"""The first start: whoever holds the code that `brightroom up` shows becomes the administrator, once.

Until then nobody can log in. The code lies in a file that only the server's own user can read, so that it can be looked
up again, and is of no use as soon as there is a user.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from api.access import PUBLIC
from api.auth import LoggedIn
from api.cookies import session_cookie
from api.deps import Deps, Given
from api.limits import LoginLimit
from api.logins import Logins
from api.users import Secret, shown
from cluster.errors import Conflict, Denied
from cluster.head import run_dir
from cluster.settings import Settings
from cluster.store.database import System
from cluster.store.users import User

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without those that look like another
GROUPS, LETTERS_EACH = 3, 4  # 59 bits
TRIES = "set-up"  # what its failures are counted under
DONE = "This Brightroom is set up: log in. Whoever administers it makes more users."
WRONG = "The code is not the one that `brightroom up` showed when it started. It is in run/setup-code in the root, too."


class Setup:
    """Whether a first user is awaited, and by which code they are known."""

    def __init__(self, settings: Settings, system: System) -> None:
        self.file, self.system = run_dir(settings) / "setup-code", system
        self.turn = asyncio.Lock()  # of one to become the first user

    @property
    def needed(self) -> bool:
        """Whether there is no user yet; blocks."""
        return not self.system.users.list()

    def code(self) -> str:
        """The code, made at the first call; blocks."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            made = "-".join("".join(secrets.choice(LETTERS) for _ in range(LETTERS_EACH)) for _ in range(GROUPS))
            write_once(self.file, made)
        return self.file.read_text("ascii").strip()

    def fits(self, code: str) -> bool:
        """Whether somebody has the code; blocks."""
        given = code.strip().upper().encode(errors="replace")
        return self.file.exists() and hmac.compare_digest(given, self.code().encode())

    def over(self) -> None:
        """Forget the code."""
        self.file.unlink(missing_ok=True)


def invitation(setup: Setup, url: str) -> list[str]:
    """What to say where Brightroom is started, on the first start only; blocks."""
    if not setup.needed:
        return []
    return [f"nobody is here yet: open [bold]{url}/setup[/] and enter the set-up code [bold]{setup.code()}[/]"]


def write_once(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; raises FileExistsError."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    try:
        os.link(draft, file)
    finally:
        draft.unlink()


class SetupView(msgspec.Struct, frozen=True):
    """Whether this Brightroom awaits its first user."""

    needed: bool


class FirstUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The administrator to be, and the code that proves that they may."""

    code: Annotated[str, msgspec.Meta(max_length=64)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Secret


Doors = NamedDependency[SkipValidation[Logins]]
Limit = NamedDependency[SkipValidation[LoginLimit]]
FirstStart = NamedDependency[SkipValidation[Setup]]


@get("/", opt=PUBLIC, sync_to_thread=True, summary="Whether the first user is awaited")
def show_setup(setup: FirstStart) -> SetupView:
    """Whether there is nobody yet who could log in."""
    return SetupView(setup.needed)


@post("/", opt=PUBLIC, status_code=201, summary="Become the first user")
async def set_up(
    request: Request[Any, Any, Any], data: JSONBody[FirstUser], deps: Given, setup: FirstStart, login_limit: Limit,
    logins: Doors,
) -> Response[LoggedIn]:  # fmt: skip
    """Create the administrator, and log them in by cookie; 409 once there is a user, 403 for a wrong code.

    After some wrong codes one has to wait longer and longer: 429 with Retry-After.
    """
    user = await first_user(deps, setup, login_limit, data, request.state["address"])
    token = await asyncio.to_thread(logins.open, user, "set-up")
    return Response(LoggedIn(shown(user)), status_code=201, cookies=[session_cookie(token, deps.settings.api)])


async def first_user(deps: Deps, setup: Setup, limit: LoginLimit, asked: FirstUser, client: str) -> User:
    """The administrator, made for whoever has the code; raises Conflict, Denied and TooMany."""
    async with setup.turn, limit.attempt(f"{TRIES} {client}", client) as attempt:  # who guesses delays nobody else
        if not await asyncio.to_thread(lambda: setup.needed):
            attempt.right = True
            raise Conflict(DONE)
        attempt.right = await asyncio.to_thread(setup.fits, asked.code)
        if attempt.right:
            hashed = await deps.passwords.hashed(asked.password)
            user = await asyncio.to_thread(deps.system.users.create, asked.name, hashed, True)
            await asyncio.to_thread(setup.over)
            return user
    raise Denied(WRONG)


ROUTES = Router("/api/setup", route_handlers=[show_setup, set_up], tags=["session"])
