"""What an address answers beside the methods its routes declare: HEAD wherever it answers GET, and no OPTIONS."""

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class Methods(ReceiveRoutePlugin):
    """Routes HEAD to what answers GET, and OPTIONS to nothing: the 405 names the methods to everybody."""

    def receive_route(self, route: BaseRoute) -> None:
        """Add HEAD to a route that has GET, and take away the OPTIONS that Litestar gave it."""
        if not isinstance(route, HTTPRoute):
            return
        route.route_handler_map.pop("OPTIONS", None)
        if "GET" in route.route_handler_map:
            route.route_handler_map["HEAD"] = route.route_handler_map["GET"]
        route.methods = set(route.route_handler_map)


class Bodiless(ASGIMiddleware):
    """Ends the answer to a HEAD behind its headers, which stay those of the GET, Content-Length among them."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on, and of a HEAD's answer its headers only."""

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # The server now tells a stream that its client is gone, so that it reads no file and waits for no job.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await next_app(scope, receive, headers_only if scope.get("method") == "HEAD" else send)
