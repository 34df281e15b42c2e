"""The door: logging in and out, the first start, and one's own account; forms, since they must work without scripts."""

import asyncio
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from api.access import PUBLIC, USER
from api.auth import LABEL, Doors, Limit, identified
from api.cookies import expired_cookie, session_cookie
from api.deps import Deps, Given
from api.errors import status_of
from api.gate import FORM
from api.logins import Logins
from api.pages.inside import Asked, Inside
from api.pages.page import bare, page
from api.pages.posting import fields_of, own
from api.pages.words import WORDS
from api.passwords import LONGEST, SHORTEST
from api.setup import FirstStart, FirstUser, first_user
from cluster.errors import Invalid, ServiceError, TooMany
from cluster.store.users import User

FORM_BYTES = 8192
MOST_FIELDS = 50
Back = Annotated[str, QueryParameter(max_length=4096)]
PUBLIC_FORM = {**PUBLIC, FORM: True}


@get("/login", opt=PUBLIC, include_in_schema=False)
async def login_page(request: Asked, setup: FirstStart, back: Back = "/") -> Response[Any]:
    """The page to log in on; the first start's page where nobody could."""
    if await asyncio.to_thread(lambda: setup.needed):
        return Redirect("/setup", status_code=303)
    if request.user:
        return Redirect(own(back), status_code=303)
    return bare(request, "login.html", back=own(back), name="", wrong="")


@post("/login", opt=PUBLIC_FORM, status_code=303, include_in_schema=False, request_max_body_size=FORM_BYTES)
async def log_in(request: Asked, deps: Given, login_limit: Limit, logins: Doors) -> Response[Any]:
    """Open a session, or say why not."""
    form = await fields(request)
    name, password, back = form.get("name", ""), form.get("password", ""), own(form.get("back", "/"))
    try:
        user = await identified(deps, login_limit, name[:256], password[:LONGEST], request.state["address"])
    except ServiceError as error:
        return refused(request, "login.html", error, back=back, name=name[:256])
    return await welcomed(request, deps, logins, user, back)


@post("/logout", opt={**USER, FORM: True}, status_code=303, include_in_schema=False, sync_to_thread=True)
def log_out(request: Asked, deps: Given, logins: Doors) -> Redirect:
    """End this session."""
    logins.end(request.auth)
    gone = Redirect("/login", status_code=303)
    gone.cookies.append(expired_cookie(deps.settings.api))
    return gone


@get("/setup", opt=PUBLIC, include_in_schema=False)
async def setup_page(request: Asked, setup: FirstStart) -> Response[Any]:
    """The first start's page: who administers, then where the photos are, then a scan."""
    if await asyncio.to_thread(lambda: setup.needed):
        return bare(request, "setup.html", code="", name="", wrong="", shortest=SHORTEST)
    if request.user is None:
        return Redirect("/login", status_code=303)
    return Redirect("/welcome", status_code=303)


@post("/setup", opt=PUBLIC_FORM, status_code=303, include_in_schema=False, request_max_body_size=FORM_BYTES)
async def set_up(request: Asked, deps: Given, setup: FirstStart, login_limit: Limit, logins: Doors) -> Response[Any]:
    """Make the administrator, log them in, and go on to choosing a folder."""
    form = await fields(request)
    code, name = form.get("code", "")[:64], form.get("name", "").strip()[:64]
    try:
        asked = FirstUser(code, name, chosen_password(form))
        if not name:
            raise Invalid(WORDS("door.no_name"))
        user = await first_user(deps, setup, login_limit, asked, request.state["address"])
    except ServiceError as error:
        return refused(request, "setup.html", error, code=code, name=name, shortest=SHORTEST)
    return await welcomed(request, deps, logins, user, "/welcome")


@get("/welcome", opt=USER, include_in_schema=False)
async def welcome_page(request: Asked, folder: Annotated[str, QueryParameter(max_length=4096)] = "") -> Template:
    """Choosing the folder that photos are in, and the first scan."""
    inside = Inside(request)
    me = await inside.get("/api/auth/me")
    browsed = await inside.get("/api/server/folders", path=folder or None) if me["admin"] else None
    return await page(request, "welcome.html", "library", browsed=browsed)


@get("/account", opt=USER, include_in_schema=False)
async def account_page(request: Asked) -> Template:
    """One's own account: password, sessions, appearance."""
    return await page(request, "account.html", "account", shortest=SHORTEST)


async def welcomed(request: Asked, deps: Deps, logins: Logins, user: User, back: str) -> Response[Any]:
    """A new session for somebody, and the way to where they wanted to go."""
    label = request.headers.get("user-agent", "")[:LABEL]
    token = await asyncio.to_thread(logins.open, user, label)
    go = Redirect(back, status_code=303)
    go.cookies.append(session_cookie(token, deps.settings.api))
    return go


def refused(request: Asked, template: str, error: ServiceError, **shown: Any) -> Template:
    """The same page again, with what was wrong."""
    answer = bare(request, template, status_of(error), wrong=str(error), **shown)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


async def fields(request: Asked) -> dict[str, str]:
    """A small form's fields."""
    return dict(await fields_of(request, MOST_FIELDS))


def chosen_password(form: dict[str, str]) -> str:
    """The password that was typed twice; raises Invalid when it is too short, too long or not the same."""
    password = form.get("password", "")
    if password != form.get("again", ""):
        raise Invalid(WORDS("door.not_the_same"))
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(WORDS("door.password_length", shortest=SHORTEST, longest=LONGEST))
    return password


HANDLERS = [login_page, log_in, log_out, setup_page, set_up, welcome_page, account_page]
