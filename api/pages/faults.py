"""Errors as pages, for whoever navigates: the same sentences as problem documents have, and a way on."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from api.pages.inside import Asked
from api.pages.page import bare

NOT_PAGES = ("/api/", "/schema", "/metrics", "/healthz", "/assets/")
Handler = Callable[[Asked, Any], Response[Any]]


def for_browsers(handlers: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """Handlers of exceptions whose problems are shown as pages where a browser asked for a page."""
    return {kind: paged(handler) for kind, handler in handlers.items()}


def paged(handler: Handler) -> Handler:
    """A handler whose answer is a page for whoever asked for one."""

    def handle(request: Asked, error: Any) -> Response[Any]:
        answer = handler(request, error)
        return shown(request, answer) if asks_for_page(request) else answer

    return handle


def asks_for_page(request: Asked) -> bool:
    """Whether a browser navigates here."""
    path = request.scope["path"]  # not of `url`, which has the Host in it, whatever that is
    return "text/html" in request.headers.get("accept", "") and not path.startswith(NOT_PAGES)


def shown(request: Asked, answer: Response[Any]) -> Response[Any]:
    """A problem as a page; whoever is not logged in is asked to, and comes back."""
    if answer.status_code == 401:
        query = request.scope["query_string"].decode("latin-1")
        back = quote(request.scope["path"]) + (f"?{query}" if query else "")
        return Redirect(f"/login?back={quote(back, safe='')}" if request.method == "GET" else "/login", status_code=303)
    page = bare(request, "fault.html", answer.content.status, problem=answer.content)
    page.headers |= {name: value for name, value in answer.headers.items() if name.lower() == "retry-after"}
    return page
