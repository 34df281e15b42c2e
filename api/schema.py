"""The API described: OpenAPI as JSON at /schema/openapi.json, and a page of our own at /schema that draws it.

The page, its script and its style come from this server, and ask no other host for anything.
"""

from importlib.resources import files
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from api.access import PUBLIC, RULE, Rule
from api.errors import PROBLEM
from api.headers import PAGE

ABOUT = (
    "A photo library: log in at /api/auth/login, scan, follow the job, search. Errors are RFC 9457 problem documents."
)
WEB = files("api") / "web"
SECURITY: list[dict[str, list[str]]] = [{"cookie": []}, {"bearer": []}]
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ANY_PROBLEM = {
    "description": "A problem, told as RFC 9457 says",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Description(OpenAPIRenderPlugin):
    """openapi.json, with each route's rule and the problem documents that Litestar does not know of."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The description as JSON."""
        return self.render_json(request, completed(request.app, openapi_schema))


class Page(OpenAPIRenderPlugin):
    """The page that draws openapi.json."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page; the same for everybody."""
        return (WEB / "schema.html").read_bytes()


def completed(app: Litestar, description: dict[str, Any]) -> dict[str, Any]:
    """The description with rules and problems in it, without HEAD; doing it twice changes nothing."""
    for item in description["paths"].values():
        item.pop("head", None)
    for path, method, handler in described(app):
        operation = description["paths"][path][method]
        rule = handler.opt.get(RULE, "nobody")
        operation["x-access"] = str(rule)
        operation["security"] = [] if rule is Rule.PUBLIC else SECURITY
        operation["responses"].pop("400", None)
        operation["responses"]["default"] = ANY_PROBLEM
    description["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
    return description


def operation_id(handler: HTTPRouteHandler, method: Any, path: list[Any]) -> str:
    """The id of an operation; a HEAD needs one of its own until `completed` drops it."""
    own = OpenAPIConfig.operation_id_creator(handler, method, path)
    return f"Head{own}" if method == "HEAD" else own


def described(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of every operation in the description."""
    return [
        (route.path_format, method.lower(), handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler) and handler.resolve_include_in_schema()
        for method in handler.http_methods
        if method != "OPTIONS"
    ]


def openapi(version: str, cookie: str) -> OpenAPIConfig:
    """The configuration that serves both, for an API whose sessions are in this cookie; everybody may read it."""
    schemes = {
        "cookie": SecurityScheme(type="apiKey", name=cookie, security_scheme_in="cookie"),
        "bearer": SecurityScheme(type="http", scheme="bearer"),
    }
    router = Router(
        "/schema",
        route_handlers=[schema_js, schema_css],
        include_in_schema=False,
        opt=PUBLIC,
        response_headers={"Content-Security-Policy": PAGE, "Cache-Control": "no-cache"},
    )
    return OpenAPIConfig(
        title="Brightroom",
        version=version,
        description=ABOUT,
        components=Components(security_schemes={**schemes}),
        render_plugins=[Page(), Description()],
        use_handler_docstrings=True,
        operation_id_creator=operation_id,
        openapi_router=router,
    )


@get("/schema.js", opt=PUBLIC, sync_to_thread=True)
def schema_js() -> Response[bytes]:
    """The page's script."""
    return Response((WEB / "schema.js").read_bytes(), media_type="text/javascript; charset=utf-8")


@get("/schema.css", opt=PUBLIC, sync_to_thread=True)
def schema_css() -> Response[bytes]:
    """The page's style."""
    return Response((WEB / "schema.css").read_bytes(), media_type="text/css; charset=utf-8")
