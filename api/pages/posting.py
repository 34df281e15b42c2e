"""Forms: what a form without scripts sends becomes the request of the API that it stands for, as its sender.

A form names the request (`_to`: `POST /api/people/merge`) and the page that follows (`_back`). Its other fields are the
body: `name` is text, `kind:some` text unless it is empty, `full:bool`, `confirm:int` and `rate:float` what they say,
`others:list` may come many times, and `others:none` is a list of nothing; another empty field that is no text is left
out. Scripts send the same forms as the same JSON themselves.
"""

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import post
from litestar.response import Redirect

from api.access import USER
from api.gate import FORM
from api.pages.inside import Asked, Inside, error_of
from api.pages.page import Said, saying
from api.pages.words import WORDS
from cluster.errors import Invalid, Unauthenticated

ADDRESSEE = re.compile(r"(POST|PUT|PATCH|DELETE) (/api/[!-~]{1,2000})")  # and no way up from there
FORM_BYTES = 256 * 1024
MOST_FIELDS = 20_000
LONGEST_SAID = 500  # characters; browsers keep no cookie of more than 4 kB
KINDS: dict[str, Callable[[str], Any]] = {
    "": str, "some": str, "int": int, "float": lambda text: finite(text), "list": str, "none": lambda _: [],
    "bool": lambda text: text in ("true", "on", "1"),
}  # fmt: skip


@post("/form", opt={**USER, FORM: True}, status_code=303, include_in_schema=False, request_max_body_size=FORM_BYTES)
async def send_form(request: Asked) -> Redirect:
    """Do what a form asks for, and say on the page that follows what came of it."""
    fields = await fields_of(request, MOST_FIELDS)
    about = {name: value for name, value in fields if name.startswith("_")}
    to = ADDRESSEE.fullmatch(about.get("_to", ""))
    if to is None or ".." in to[2]:
        raise Invalid(WORDS("shell.form_unknown"))
    given = body_of([one for one in fields if not one[0].startswith("_")])
    answer = await Inside(request).exactly(to[1], to[2], given)
    if answer.status_code == 401:
        raise Unauthenticated(WORDS("door.ended"))
    back = Redirect(own(about.get("_back", "/")), status_code=303)
    told = Said(about.get("_said") or WORDS("shell.done")) if answer.is_success else Said(str(error_of(answer)), True)
    secure: bool = request.app.state.deps.settings.api.secure_cookies
    back.cookies.append(saying(msgspec.structs.replace(told, text=told.text[:LONGEST_SAID]), secure))
    return back


async def fields_of(request: Asked, most: int) -> list[tuple[str, str]]:
    """What is in a form; raises Invalid for more fields than that."""
    try:
        return parse_qsl((await request.body()).decode("utf8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise Invalid(WORDS("shell.form_unknown")) from None


def body_of(fields: list[tuple[str, str]]) -> dict[str, Any] | None:
    """A form's fields as the body of a request, None for none."""
    body: dict[str, Any] = {}
    for field, text in fields:
        name, _, kind = field.partition(":")
        if kind not in KINDS:
            raise Invalid(WORDS("shell.form_unknown"))
        if text == "" and kind not in ("", "list", "none"):
            continue
        value = converted(kind, text)
        if kind != "list":
            body[name] = value
        elif isinstance(before := body.setdefault(name, []), list):
            before.append(value)
        else:
            raise Invalid(WORDS("shell.form_unknown"))
    return body or None


def converted(kind: str, text: str) -> Any:
    """A field's text as what it says it is; raises Invalid for what is none."""
    try:
        return KINDS[kind](text)
    except ValueError:
        raise Invalid(WORDS("shell.form_number")) from None


def finite(text: str) -> float:
    """A number that JSON has; raises ValueError for others."""
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def own(address: str) -> str:
    """A page of ours to go to; the first one for any other address."""
    ours = address.startswith("/") and not address.startswith("//")
    return address if ours and "\\" not in address and address.isprintable() else "/"  # browsers take \ for /
