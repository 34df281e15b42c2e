"""Asking the API from within, as whoever asks for a page: the same routes, rules and answers as for everybody.

One request of a page becomes some of the API, in this process and without a socket.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
from litestar import Litestar, Request

from cluster.errors import Conflict, Denied, Invalid, NotFound, ServiceError, TooMany, Unauthenticated, Unavailable

KINDS: dict[int, type[ServiceError]] = {
    400: Invalid, 401: Unauthenticated, 403: Denied, 404: NotFound, 409: Conflict, 503: Unavailable,
}  # fmt: skip


def client_of(app: Litestar) -> httpx.AsyncClient:
    """A client whose requests this application answers."""
    answering: Any = app  # Litestar's types of ASGI are narrower than httpx's
    # no address: it is not this machine's own program
    transport = httpx.ASGITransport(app=answering, client=("page", 0))
    return httpx.AsyncClient(transport=transport, base_url="http://inside", trust_env=False, verify=False, timeout=60)


class Inside:
    """The API as one request's user sees it."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.client: httpx.AsyncClient = request.app.state.inside
        self.headers = {"Host": request.headers.get("host", "")}
        if request.auth:
            self.headers["Authorization"] = f"Bearer {request.auth.token}"

    async def send(self, method: str, path: str, body: Any = None, /, **query: Any) -> httpx.Response:
        """What the API answers, whatever that is; parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self.exactly(method, quote(path, safe="/"), body, given or None)  # ids come from addresses

    async def exactly(self, method: str, address: str, body: Any, query: Any = None) -> httpx.Response:
        """What the API answers at an address that is written as addresses are, with a query of its own or this one."""
        return await self.client.request(method, address, params=query, json=body, headers=self.headers)

    async def get(self, path: str, /, **query: Any) -> Any:
        """An answer's content; raises what the problem document tells of, as the route raised it."""
        return content(await self.send("GET", path, **query))

    async def all(self, *paths: str) -> list[Any]:
        """The answers to some questions, asked side by side."""
        return list(await asyncio.gather(*(self.get(path) for path in paths)))


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
