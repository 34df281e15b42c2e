"""The front of the stand-in as a WSGI application: what Nextcloud answers beside WebDAV, who may ask, maintenance.

It knows nothing of faults; those are done to its answers, in `gateway.py`.
"""

import base64
import binascii
import json
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.nextcloud.dav import FILES, application
from tests.nextcloud.logins import Account, Logins

VERSION, VERSION_STRING = "31.0.5.1", "31.0.5"
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}
SABRE = {
    400: ("BadRequest", "The request is malformed"),
    401: ("NotAuthenticated", "No public access to this resource., Username or password was incorrect"),
    403: ("Forbidden", "Access denied"),
    404: ("NotFound", "File could not be located"),
    405: ("MethodNotAllowed", "The method is not allowed here"),
    412: ("PreconditionFailed", "A precondition failed"),
    416: ("RequestedRangeNotSatisfiable", "The start offset exceeded the size of the entity"),
    503: ("ServiceUnavailable", "System is in maintenance mode."),
}
Headers = list[tuple[str, str]]


class Front:
    """Answers as the server of several users."""

    def __init__(self) -> None:
        self.logins = Logins()
        self.maintenance_s: int | None = None  # Retry-After while in maintenance
        self.needs_upgrade = False
        self._files: dict[str, Any] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = urllib.parse.urlsplit(environ["REQUEST_URI"]).path.removeprefix("/index.php")
        if path == "/status.php":
            return answer_json(start_response, 200, self.status())
        if self.maintenance_s is not None:
            told = [("X-Nextcloud-Maintenance-Mode", "1"), ("Retry-After", str(self.maintenance_s))]
            return answer_error(start_response, 503, told)
        if path.startswith("/login/v2"):
            return self.login_flow(path, environ, start_response)
        account = self.who(environ)
        if account is None:
            return answer_error(start_response, 401, [("WWW-Authenticate", 'Basic realm="Nextcloud", charset="UTF-8"')])
        if path.startswith("/ocs/"):
            return self.ocs(path, account, environ, start_response)
        return self.files(path, account, environ, start_response)

    def status(self) -> dict[str, Any]:
        """What /status.php tells."""
        return {
            "installed": True,
            "maintenance": self.maintenance_s is not None,
            "needsDbUpgrade": self.needs_upgrade,
            "version": VERSION,
            "versionstring": VERSION_STRING,
            "edition": "",
            "productname": "Nextcloud",
            "extendedSupport": False,
        }

    def who(self, environ: WSGIEnvironment) -> Account | None:
        """Who asks; a request without a password is nobody's and no wrong one either."""
        given = credentials(environ)
        return self.logins.who(*given) if given else None

    def login_flow(self, path: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Login flow v2: begin, poll, and the page that a browser opens."""
        server = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        if path == "/login/v2" and environ["REQUEST_METHOD"] == "POST":
            flow = self.logins.begin()
            poll = {"token": flow.poll_token, "endpoint": f"{server}/login/v2/poll"}
            return answer_json(
                start_response, 200, {"poll": poll, "login": f"{server}/login/v2/flow/{flow.login_token}"}
            )
        if path == "/login/v2/poll" and environ["REQUEST_METHOD"] == "POST":
            form = urllib.parse.parse_qs(environ["wsgi.input"].read().decode("latin1"))
            done = self.logins.poll("".join(form.get("token", [])))
            if done is None or done.granted_to is None:
                return answer_json(start_response, 404, [])
            told = {"server": server, "loginName": done.granted_to.login, "appPassword": done.app_password}
            return answer_json(start_response, 200, told)
        token = path.removeprefix("/login/v2/flow/")
        known = any(flow.login_token == token for flow in self.logins.flows)
        return answer(
            start_response, 200 if known else 403, "text/html; charset=UTF-8", b"<!DOCTYPE html><p>Log in</p>"
        )

    def ocs(
        self, path: str, account: Account, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """The few answers of the OCS API that a client of files asks for."""
        if "HTTP_OCS_APIREQUEST" not in environ:
            return answer_json(start_response, 412, {"message": "CSRF check failed"})
        below = path.removeprefix("/ocs/v2.php").removeprefix("/ocs/v1.php")
        if below == "/core/apppassword" and environ["REQUEST_METHOD"] == "DELETE":
            _, password = credentials(environ) or ("", "")
            revoked = self.logins.revoke(password)
            return answer_json(start_response, 200 if revoked else 403, ocs_of([], 200 if revoked else 403))
        found = {"/cloud/capabilities": capabilities, "/cloud/user": about}.get(below)
        if found is None:
            return answer_json(start_response, 404, ocs_of([], 998))
        return answer_json(start_response, 200, ocs_of(found(account), 200))

    def files(
        self, path: str, account: Account, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """WebDAV below the asking user's own files; whatever else is not found."""
        parts = urllib.parse.unquote(path, errors="replace").split("/")
        own = f"{FILES}/{account.user}"
        below = urllib.parse.unquote_to_bytes(path).decode("latin1")
        if ".." in parts or "\N{REPLACEMENT CHARACTER}" in "".join(parts) or "%2f" in path.lower():
            return answer_error(start_response, 400)
        if "/".join(parts[:5]) != own:
            return answer_error(start_response, 404)
        environ["PATH_INFO"] = "/" + below.split("/", 5)[5] if len(parts) > 5 else "/"
        environ["wsgidav.auth.user_name"] = account.user
        if environ["REQUEST_METHOD"] == "PROPFIND" and environ.get("HTTP_DEPTH", "infinity") == "infinity":
            environ["HTTP_DEPTH"] = "1"  # as Sabre does where depth infinity is not enabled
        if account.user not in self._files:
            self._files[account.user] = application(account.user, account.tree)
        return as_sabre(self._files[account.user], environ, start_response)


def credentials(environ: WSGIEnvironment) -> tuple[str, str] | None:
    """Name and password of Basic authentication; None where a request has none."""
    scheme, _, told = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, _, password = base64.b64decode(told, validate=True).decode("utf8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return login, password


def about(account: Account) -> dict[str, Any]:
    """What /cloud/user tells: the id, which may be another than the login name."""
    quota = account.tree.available()
    return {"id": account.user, "enabled": True, "quota": {"free": quota, "used": account.tree.size_of("")}}


def capabilities(_account: Account) -> dict[str, Any]:
    """What /cloud/capabilities tells, as far as files go."""
    major, minor, micro = (int(number) for number in VERSION_STRING.split("."))
    version = {"major": major, "minor": minor, "micro": micro, "string": VERSION_STRING, "edition": ""}
    core = {"pollinterval": 60, "webdav-root": "remote.php/webdav", "mod-rewrite-working": True}
    told = {"core": core, "dav": {"chunking": "1.0"}, "files": {"bigfilechunking": True}}
    return {"version": version | {"extendedSupport": False}, "capabilities": told}


def ocs_of(data: Any, code: int) -> dict[str, Any]:
    """Data in the envelope of the OCS API."""
    meta = {"status": "ok" if code == 200 else "failure", "statuscode": code, "message": "OK" if code == 200 else ""}
    return {"ocs": {"meta": meta, "data": data}}


def answer(
    start_response: StartResponse, status: int, kind: str, body: bytes, headers: Headers | None = None
) -> Iterable[bytes]:
    """An answer with a body."""
    told = [("Content-Type", kind), ("Content-Length", str(len(body))), *(headers or [])]
    start_response(f"{status} {REASONS.get(status, 'Error')}", told)
    return [body]


def answer_json(start_response: StartResponse, status: int, data: Any) -> Iterable[bytes]:
    """An answer in JSON."""
    return answer(start_response, status, "application/json; charset=utf-8", json.dumps(data).encode())


def answer_error(start_response: StartResponse, status: int, headers: Headers | None = None) -> Iterable[bytes]:
    """An error as Sabre, the WebDAV server inside Nextcloud, words it."""
    return answer(start_response, status, "application/xml; charset=utf-8", error_body(status), headers)


def error_body(status: int) -> bytes:
    """The XML of an error."""
    name, message = SABRE.get(status, ("Exception", "An error occurred"))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        f"  <s:exception>Sabre\\DAV\\Exception\\{name}</s:exception>\n  <s:message>{message}</s:message>\n</d:error>\n"
    ).encode()


def as_sabre(
    dav: Callable[..., Iterable[bytes]], environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """The answer of wsgidav, its pages of errors replaced by what Sabre says."""
    failed: list[int] = []

    def begin(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        code = int(status.split()[0])
        if code < 400:
            return start_response(status, headers, exc_info)
        failed.append(code)
        kept = [(name, value) for name, value in headers if name in ("Content-Range", "Allow")]
        length = ("Content-Length", str(len(error_body(code))))
        return start_response(status, [("Content-Type", "application/xml; charset=utf-8"), length, *kept], exc_info)

    for chunk in dav(environ, begin):
        yield error_body(failed[0]) if failed and chunk else chunk
