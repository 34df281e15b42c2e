"""Asking the API from within, as whoever asks for a page: the same routes, rules and answers as for everybody.

One request of a page becomes some of the API, in this process and without a socket.
"""

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
from litestar import Litestar, Request

from api.limits import network_of
from cluster.errors import Conflict, Denied, Invalid, NotFound, ServiceError, TooMany, Unauthenticated, Unavailable

Asked: TypeAlias = Request[Any, Any, Any]
SENDER = "sender"  # an extension of our requests: the address they are sent for
KINDS: dict[int, type[ServiceError]] = {
    400: Invalid, 401: Unauthenticated, 403: Denied, 404: NotFound, 409: Conflict, 503: Unavailable,
}  # fmt: skip


def client_of(app: Litestar) -> httpx.AsyncClient:
    """A client whose requests this application answers."""
    nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # one client for all users: it keeps no cookie
    return httpx.AsyncClient(
        transport=ForSomebody(app), base_url="http://inside", trust_env=False, verify=False, timeout=60, cookies=nobodys
    )


class ForSomebody(httpx.AsyncBaseTransport):
    """Has the application answer, to the address that a request is sent for."""

    def __init__(self, app: Litestar) -> None:
        self.app: Any = app  # Litestar's types of ASGI are narrower than httpx's

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer."""
        # `page` makes it no address of a machine: it is not this one's own program, wherever the browser is
        sender = f"page {network_of(request.extensions.get(SENDER, ''))}"
        return await httpx.ASGITransport(app=self.app, client=(sender, 0)).handle_async_request(request)


class Inside:
    """The API as one request's user sees it."""

    def __init__(self, request: Asked) -> None:
        self.client: httpx.AsyncClient = request.app.state.inside
        self.headers = {"Host": request.headers.get("host", "")}
        self.sender = {SENDER: str(request.state["address"])}  # what failed logins are counted by
        if request.auth:
            self.headers["Authorization"] = f"Bearer {request.auth.token}"

    async def send(self, method: str, path: str, body: Any = None, /, **query: Any) -> httpx.Response:
        """What the API answers, whatever that is; parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self.exactly(method, quote(path, safe="/"), body, given or None)  # ids come from addresses

    async def exactly(self, method: str, address: str, body: Any, query: Any = None) -> httpx.Response:
        """What the API answers at an address that is written as addresses are, with a query of its own or this one."""
        return await self.client.request(
            method, address, params=query, json=body, headers=self.headers, extensions=self.sender
        )

    async def get(self, path: str, /, **query: Any) -> Any:
        """An answer's content; raises what the problem document tells of, as the route raised it."""
        return content(await self.send("GET", path, **query))


async def beside(**asked: Any) -> dict[str, Any]:
    """Some answers by name, waited for together."""
    return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))


async def nothing(**content: Any) -> dict[str, Any]:
    """An answer with this in it, where `beside` waits for one that is not asked for."""
    return content


def content(answer: httpx.Response) -> Any:
    """What is in an answer; raises what a problem document tells of."""
    if answer.is_success:
        return answer.json() if answer.content else None
    raise error_of(answer)


def error_of(answer: httpx.Response) -> ServiceError:
    """The error that a problem document tells of; of a bug in the API, that it cannot answer now."""
    detail = str(answer.json().get("detail", "")) if "json" in answer.headers.get("content-type", "") else ""
    if answer.status_code == 429:
        return TooMany(detail, int(answer.headers.get("retry-after", "60")))
    return KINDS.get(answer.status_code, Unavailable)(detail)
