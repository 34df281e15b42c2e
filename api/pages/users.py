"""The page of users: who there is, new ones, their folders and rights; a made password is shown once, right away."""

import secrets
from typing import Annotated, Any

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from api.access import ADMIN
from api.gate import FORM
from api.pages.admin import ACTIVE, has_words
from api.pages.door import chosen_password, fields
from api.pages.inside import Asked, Inside, beside, content
from api.pages.page import Said, page
from api.passwords import SHORTEST
from cluster.errors import Invalid, ServiceError

Text = Annotated[str, QueryParameter(max_length=4096)]
ADMIN_FORM = {**ADMIN, FORM: True}
FORM_BYTES = 16 * 1024
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are taken for each other
GROUPS, OF_A_GROUP = 4, 5  # 99 bits
BLANK = {"name": "", "scan_directory": "", "admin": False}


@get("/admin/users", opt=ADMIN, include_in_schema=False)
async def users_page(request: Asked, q: Text = "") -> Template:
    """Everybody, with their folder and what their library has."""
    inside = Inside(request)
    shown = await beside(users=inside.get("/api/users"), stats=inside.get("/api/server/stats"))
    kept = {one["user_id"]: one["storage"] for one in shown["stats"]["storage"]["users"]}
    found = [one for one in shown["users"] if fits(one, q)]
    return await page(request, "admin_users.html", ACTIVE, tab="users", users=found, kept=kept, q=q)


@get("/admin/users/new", opt=ADMIN, include_in_schema=False)
async def new_user_page(request: Asked) -> Template:
    """The form for a new user."""
    return await page(request, "admin_new_user.html", ACTIVE, tab="users", asked=BLANK, shortest=SHORTEST)


@post("/admin/users", opt=ADMIN_FORM, status_code=200, include_in_schema=False, request_max_body_size=FORM_BYTES)
async def create_user(request: Asked) -> Template:
    """Make a user, and show their password if it was made too."""
    form = await fields(request)
    asked = {"name": form.get("name", ""), "scan_directory": form.get("scan_directory", ""), "admin": "admin" in form}
    try:
        password = password_of(form)
        user = content(await Inside(request).send("POST", "/api/users", {**asked, "password": password}))
    except ServiceError as error:
        return await page(request, "admin_new_user.html", ACTIVE, 400, tab="users", asked=asked, shortest=SHORTEST,
                          said=Said(str(error), wrong=True))  # fmt: skip
    shown = password if is_made(form) else ""
    return await page(request, "admin_password.html", ACTIVE, tab="users", person=user, password=shown, created=True)


@get("/admin/users/{user_id:str}", opt=ADMIN, include_in_schema=False)
async def user_page(request: Asked, user_id: FromPath[str], folder: Text = "") -> Template:
    """One user: log-in, rights, password, and the folder that their photos are in."""
    inside = Inside(request)
    person = await inside.get(f"/api/users/{user_id}")
    browsed = await folders_at(inside, folder or person["scan_directory"])
    return await page(request, "admin_user.html", ACTIVE, tab="users", person=person, browsed=browsed,
                      shortest=SHORTEST, choosing=bool(folder))  # fmt: skip


@post(
    "/admin/users/{user_id:str}/password", opt=ADMIN_FORM, status_code=200, include_in_schema=False,
    request_max_body_size=FORM_BYTES,
)  # fmt: skip
async def reset_password(request: Asked, user_id: FromPath[str]) -> Template:
    """Give somebody another password, and show it if it was made."""
    form, inside = await fields(request), Inside(request)
    person = await inside.get(f"/api/users/{user_id}")
    try:
        password = password_of(form)
        content(await inside.send("POST", f"/api/users/{user_id}/password", {"password": password}))
    except Invalid as error:
        browsed = await folders_at(inside, person["scan_directory"])
        return await page(request, "admin_user.html", ACTIVE, 400, tab="users", person=person, browsed=browsed,
                          shortest=SHORTEST, choosing=False, said=Said(str(error), wrong=True))  # fmt: skip
    shown = password if is_made(form) else ""
    return await page(request, "admin_password.html", ACTIVE, tab="users", person=person, password=shown,
                      created=False)  # fmt: skip


async def folders_at(inside: Inside, path: str) -> Any:
    """The folders in one; the topmost ones where that one is gone."""
    answer = await inside.send("GET", "/api/server/folders", path=path or None)
    return content(answer) if answer.is_success or not path else await inside.get("/api/server/folders")


def fits(user: dict[str, Any], text: str) -> bool:
    """Whether all words of a text are in a user's name or folder."""
    return has_words(f"{user['name']} {user['scan_directory']}", text)


def is_made(form: dict[str, str]) -> bool:
    """Whether a form asks for a password that nobody types."""
    return form.get("choice", "made") == "made"


def password_of(form: dict[str, str]) -> str:
    """The password that was typed twice, or a new one; raises Invalid for what was typed."""
    return made_password() if is_made(form) else chosen_password(form)


def made_password() -> str:
    """A password by chance that can be read to somebody."""
    groups = ["".join(secrets.choice(LETTERS) for _ in range(OF_A_GROUP)) for _ in range(GROUPS)]
    return "-".join(groups)


HANDLERS = [users_page, new_user_page, create_user, user_page, reset_password]
