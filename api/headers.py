"""The headers that every answer carries: what a browser may do with it, which is as little as possible."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# The page at /schema runs our script on our data; nothing else needs more than nothing.
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

DEFAULTS = {
    "content-security-policy": NOTHING,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",  # what is private stays out of caches unless a route says otherwise
}


async def guard_answer(message: Message, _: Scope) -> None:
    """Add the headers an answer does not set itself."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in DEFAULTS.items():
        headers.setdefault(name, value)
