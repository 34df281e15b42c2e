"""What every request passes before its route: is it for us, from where, from whom, and did its own page send it.

Cookies travel by themselves, so a state-changing request that is known by its cookie must prove that it was sent by a
page of ours (Sec-Fetch-Site, or Origin in a browser that does not send that). A bearer token proves itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.cookies import cookie_name, session_cookie
from api.errors import Refusal
from api.logins import Login, Logins
from cluster.errors import Denied, Invalid, SettingsError
from cluster.settings import ApiSettings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ANY_HOST = "any_host"  # a route's `opt`: answered under every Host, for probes that know only an address
PICTURE = "picture"  # a route's `opt`: its body is a picture, or a form with one, instead of JSON
FORM = "form"  # a route's `opt`: its body is a page's form without files
REPORT = "report"  # a route's `opt`: its body is what a browser reports of itself
SEND_A_PICTURE = (
    "Send a picture as the request's body with a Content-Type like image/jpeg or application/octet-stream, "
    "or as the one file of a form (multipart/form-data)."
)

Network = IPv4Network | IPv6Network


class Gate(ASGIMiddleware):
    """Puts `user`, `auth` and `state["address"]` into the scope, or refuses the request."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: ApiSettings, logins: Logins) -> None:
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._proxies = networks(settings.trusted_proxies)
        self._cookie = cookie_name(settings)
        self._settings, self._logins = settings, logins

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Check the request, say who sent it, and pass it on."""
        headers = Headers.from_scope(scope)
        if not scope["route_handler"].opt.get(ANY_HOST):
            self._refuse_other_hosts(headers)
        self._locate(scope, headers)
        by_cookie = await self._recognise(scope, headers)
        if str(scope.get("method")) not in SAFE:
            refuse_other_sites(headers, by_cookie)
            refuse_other_types(headers, scope["route_handler"].opt)
        await next_app(scope, receive, self._renewing(scope["auth"], send) if by_cookie else send)

    def _renewing(self, login: Login, send: Send) -> Send:
        async def renewing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                if "set-cookie" not in headers and self._logins.renew(login):  # logging out sets its own
                    headers["set-cookie"] = session_cookie(login.token, self._settings).to_header(header="")
            await send(message)

        return renewing

    def _refuse_other_hosts(self, headers: Headers) -> None:
        if host_name(headers.get("host", "")) not in self._hosts:
            raise Invalid(
                "Brightroom does not answer under this host name. An administrator can allow it: api.allowed_hosts."
            )

    def _locate(self, scope: Scope, headers: Headers) -> None:
        peer = scope["client"][0] if scope["client"] else ""
        scope["state"]["address"] = client_address(peer, headers.getall("x-forwarded-for", []), self._proxies)
        forwarded = "x-forwarded-for" in headers or "forwarded" in headers
        scope["state"]["loopback"] = not forwarded and is_loopback(peer)

    async def _recognise(self, scope: Scope, headers: Headers) -> bool:
        bearer = bearer_token(headers.get("authorization", ""))
        token = bearer or ASGIConnection[Any, Any, Any, Any](scope).cookies.get(self._cookie, "")
        known = self._logins.seen(token) or await asyncio.to_thread(self._logins.find, token) if token else None
        scope["user"] = known.user if known else None
        scope["auth"] = known
        return known is not None and not bearer


def networks(entries: Sequence[str]) -> list[Network]:
    """The configured proxies; raises SettingsError for an entry that is no address or network."""
    try:
        return [ip_network(entry, strict=False) for entry in entries]
    except ValueError as error:
        raise SettingsError(f"api.trusted_proxies: {error}; write addresses or networks like 10.0.0.0/8") from None


def host_name(host: str) -> str:
    """The host of a Host header, without its port and in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]").lower()


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header, empty when there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Where a request comes from: the peer, or the nearest address behind our own proxies that is none of them."""
    hops = [without_port(hop.strip()) for line in forwarded for hop in line.split(",")]
    address = peer
    while hops and trusted(address, proxies):
        address = hops.pop()
    return address


def without_port(hop: str) -> str:
    """The address of a hop, of which some proxies write down the port, another one for each connection."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    address, _, port = hop.partition(":")
    return address if port.isdigit() else hop


def trusted(address: str, proxies: Sequence[Network]) -> bool:
    """Whether an address belongs to one of our proxies."""
    parsed = parsed_address(address)
    return parsed is not None and any(parsed in network for network in proxies)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    parsed = parsed_address(address)
    return parsed is not None and parsed.is_loopback


def parsed_address(address: str) -> IPv4Address | IPv6Address | None:
    """An address, IPv4 also when it is written as IPv6; None for anything else."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def refuse_other_sites(headers: Headers, by_cookie: bool) -> None:
    """Raise Denied when another site's page sent this, or when a request known by its cookie does not say who did."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    elif origin is not None:
        ours = urlsplit_host(origin) == headers.get("host", "").lower()
    else:
        ours = not by_cookie
    if not ours:
        raise Denied(
            "This request was not sent by a page of Brightroom. Programs send Authorization: Bearer, not the cookie."
        )


def urlsplit_host(origin: str) -> str:
    """Host and port of an Origin header; empty for `null` and for what is no web origin."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in {"http", "https"} else ""


def refuse_other_types(headers: Headers, opt: Mapping[str, Any]) -> None:
    """Raise 415 for a body that is not declared as what the route takes: JSON, a picture, a form or a report.

    Forms of other sites cannot send JSON. They can send forms and pictures, and a cookie with them: that has been
    refused before, by `refuse_other_sites`.
    """
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if empty:
        return
    if opt.get(PICTURE):
        if not is_picture(media_type):
            raise Refusal(status_code=415, detail=SEND_A_PICTURE)
    elif media_type not in taken(opt):
        raise HTTPException(status_code=415)


def taken(opt: Mapping[str, Any]) -> tuple[str, ...]:
    """The types of bodies that a route takes which is not about pictures."""
    if opt.get(FORM):
        return ("application/x-www-form-urlencoded",)
    return ("application/csp-report", "application/reports+json") if opt.get(REPORT) else ("application/json",)


def is_picture(media_type: str) -> bool:
    """Whether a body of this type may be a picture or video, by itself or in a form."""
    whole = media_type in {"application/octet-stream", "multipart/form-data"}
    return whole or media_type.partition("/")[0] in {"image", "video"}
