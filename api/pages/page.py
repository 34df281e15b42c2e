"""A page: a template with what it shows, inside what every page has around it."""

import base64
import binascii
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from api.pages.assets import ASSETS
from api.pages.crops import crop
from api.pages.dates import day, moment, span
from api.pages.inside import Asked, Inside, beside
from api.pages.words import WORDS, number, size

# Scripts and styles are files of ours; trusted types make sure that no text of anybody's ever becomes markup.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp-reports"
)
SAID = "brightroom_said"  # a cookie with what is to be told on the next page, once
THEMES = ("", "light", "dark")  # "": as the system is


class Said(msgspec.Struct, frozen=True):
    """What came of a form."""

    text: str
    wrong: bool = False
    undo: str = ""  # "METHOD /api/path {body}" of the request that takes it back


def environment() -> Environment:
    """What templates are read and filled with; whatever they are given becomes text, never markup."""
    web = files("api") / "web" / "templates"
    made = Environment(
        loader=FileSystemLoader(str(web)), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"t": WORDS, "named": WORDS.named, "counted": WORDS.counted, "asset": ASSETS.address}
    made.filters |= {"number": number, "bytes": size, "moment": moment, "day": day, "share": share}
    made.filters |= {"crop": crop, "span": span}
    return made


def templates() -> TemplateConfig[JinjaTemplateEngine]:
    """The configuration of Litestar's templates."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment()))


def share(part: float, whole: float) -> float:
    """A part in percent of a whole, 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0


async def page(request: Asked, template: str, active: str = "", /, status: int = 200, **shown: Any) -> Template:
    """A page of somebody who is logged in: `template`, which lights `active` in the navigation."""
    inside = Inside(request)
    around = await beside(
        user=inside.get("/api/auth/me"),
        storage=inside.get("/api/server/storage"),
        version=inside.get("/api/server/version"),
    )
    return bare(request, template, status, active=active, **around, **shown)


def bare(request: Asked, template: str, status: int = 200, /, **shown: Any) -> Template:
    """A page without navigation around it, or with what it needs given."""
    theme = request.cookies.get("brightroom_theme", "")
    said = said_before(request.cookies.get(SAID, ""))
    around = {"theme": theme if theme in THEMES else "", "said": said, "path": request.scope["path"]}
    cookies = [Cookie(SAID, value="", max_age=0, httponly=True, samesite="strict")] if said else []
    return Template(
        template_name=template, context={"user": None, "active": "", **around, **shown}, status_code=status,
        headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}, cookies=cookies,
    )  # fmt: skip


def saying(said: Said, secure: bool) -> Cookie:
    """The cookie that tells the next page what came of a form."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(said)).decode()
    return Cookie(SAID, value=value, max_age=60, httponly=True, samesite="strict", secure=secure)


def said_before(cookie: str) -> Said | None:
    """What the last form came to; nothing for a cookie that is none of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cookie), type=Said) if cookie else None
    except (binascii.Error, msgspec.MsgspecError, ValueError, RecursionError):
        return None
