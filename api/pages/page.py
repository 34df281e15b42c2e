"""A page: a template with what it shows, inside what every page has around it."""

import asyncio
import base64
import binascii
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from api.pages.assets import ASSETS
from api.pages.crops import crop
from api.pages.dates import day, span
from api.pages.inside import Inside
from api.pages.words import Words, catalogue, size

# Scripts and styles are files of ours; trusted types make sure that no text of anybody's ever becomes markup.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp-reports"
)
SAID = "brightroom_said"  # a cookie with what is to be told on the next page, once
THEMES = ("", "light", "dark")  # "": as the system is
WORDS = Words(catalogue())


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


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def moment(value: str) -> str:
    """A time of the API for people without scripts; scripts show it in the reader's own zone."""
    return datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def share(part: float, whole: float) -> float:
    """A part in percent of a whole, 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0


async def page(
    request: Request[Any, Any, Any], template: str, active: str = "", /, status: int = 200, **shown: Any
) -> Template:
    """A page of somebody who is logged in: `template`, which lights `active` in the navigation."""
    inside = Inside(request)
    user, storage, version = await inside.all("/api/auth/me", "/api/server/storage", "/api/server/version")
    return bare(request, template, status, active=active, user=user, storage=storage, version=version, **shown)


def bare(request: Request[Any, Any, Any], template: str, status: int = 200, /, **shown: Any) -> Template:
    """A page without navigation around it, or with what it needs given."""
    theme = request.cookies.get("brightroom_theme", "")
    said = said_before(request.cookies.get(SAID, ""))
    around = {"theme": theme if theme in THEMES else "", "said": said, "path": request.scope["path"]}
    cookies = [Cookie(SAID, value="", max_age=0, httponly=True, samesite="strict")] if said else []
    return Template(
        template_name=template, context={"user": None, "active": "", **around, **shown}, status_code=status,
        headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}, cookies=cookies,
    )  # fmt: skip


def saying(said: Said) -> Cookie:
    """The cookie that tells the next page what came of a form."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(said)).decode()
    return Cookie(SAID, value=value, max_age=60, httponly=True, samesite="strict")


def said_before(cookie: str) -> Said | None:
    """What the last form came to; nothing for a cookie that is none of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cookie), type=Said) if cookie else None
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return None


async def beside(**asked: Any) -> dict[str, Any]:
    """Some answers by name, waited for together."""
    return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
