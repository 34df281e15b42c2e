"""Who may use a route: every one declares a rule, and one that declares none is closed to everybody."""

from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from cluster.errors import Denied, Unauthenticated

RULE = "access"  # the key in a route's `opt`


class Rule(StrEnum):
    """Public: anybody. User: somebody logged in, who sees what is theirs. Admin: an administrator."""

    PUBLIC = "public"
    USER = "user"
    ADMIN = "admin"
    METRICS = "metrics"  # an administrator, or a program on this machine


PUBLIC = {RULE: Rule.PUBLIC}
USER = {RULE: Rule.USER}
ADMIN = {RULE: Rule.ADMIN}
METRICS = {RULE: Rule.METRICS}


def permit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request through to its route, or raise Unauthenticated or Denied."""
    rule = handler.opt.get(RULE)
    if rule is Rule.PUBLIC or (rule is Rule.METRICS and connection.state.get("loopback")):
        return
    user = connection.scope["user"]
    if user is None:
        raise Unauthenticated("You are not logged in, or your session has ended. Log in at /api/auth/login.")
    if rule is Rule.USER or (rule in (Rule.ADMIN, Rule.METRICS) and user.admin):
        return
    raise Denied("Only an administrator may do this. Ask one, or log in as one.")
