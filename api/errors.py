"""Every error as an RFC 9457 problem document: the one place where an exception becomes a status.

Errors raised on purpose carry a sentence for a person, which is shown. Anything else is a bug: it is logged with its
traceback, and the document says nothing of our insides.
"""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from cluster import errors

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

# A kind of error that is not here has the status of the nearest kind it is one of.
STATUSES: dict[type[errors.BrightroomError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Denied: HTTPStatus.FORBIDDEN,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PhotoError: HTTPStatus.BAD_REQUEST,  # the picture that came with the request
    errors.OutOfMemory: HTTPStatus.SERVICE_UNAVAILABLE,  # nothing is wrong with the picture
}

# Litestar's own refusals, in sentences that say what to do next.
SENTENCES = {
    400: "The request cannot be read: {detail}. Send what /schema describes.",
    404: "There is nothing at this address. /schema lists all addresses.",
    405: "This address does not answer that method. The Allow header names those it does.",
    413: "The request's body is too large. Send less at once.",
    415: "Request bodies must be JSON. Send Content-Type: application/json.",
}


class Refusal(HTTPException):
    """A refusal of ours with a status that no error of Brightroom has; its `detail` is a sentence for a person."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field or parameter of a request."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document; `type` names the kind of problem and never changes, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[Fault] = []


def problem(status: HTTPStatus, detail: str, headers: dict[str, str], faults: list[Fault]) -> Response[Problem]:
    """A problem document as a response, of the type named after its status."""
    kind = status.phrase.lower().replace(" ", "-")
    body = Problem(f"urn:brightroom:problem:{kind}", status.phrase, int(status), detail, faults)
    kept = {"Cache-Control": "no-store", **headers}
    return Response(body, status_code=int(status), media_type=PROBLEM, headers=kept)


def told_problem(_: Request[Any, Any, Any], error: errors.BrightroomError) -> Response[Problem]:
    """An error raised on purpose, with its sentence."""
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="brightroom"'
    return problem(status_of(error), sentence_of(error), headers, [])


def status_of(error: errors.BrightroomError) -> HTTPStatus:
    """The status of the nearest kind that an error is one of; 400 for one that nobody gave a status."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), HTTPStatus.BAD_REQUEST)


def sentence_of(error: errors.BrightroomError) -> str:
    """What an error says to a person; one that comes through Ray is told as it was raised, without its traceback."""
    cause = getattr(error, "cause", None)
    return str(cause if isinstance(cause, errors.BrightroomError) else error)


def validation_problem(_: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    """Parameters or a body that do not fit, one entry for each fault."""
    faults = [fault(entry) for entry in error.extra or [] if isinstance(entry, dict)]
    told = "; ".join(f"{one.field}: {one.message}" for one in faults) or "it does not fit"
    return problem(HTTPStatus.BAD_REQUEST, f"The request is not valid. {told}.", {}, faults)


def fault(entry: dict[str, Any]) -> Fault:
    """One of Litestar's complaints; a missing body is named as one."""
    field, message = str(entry.get("key", "")), str(entry.get("message", ""))
    missing = message == f"'{field}'"  # what a KeyError's text looks like
    return Fault("body" if field == "data" else field, "this is missing" if missing else message)


def http_problem(_: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """A refusal of Litestar's own."""
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected_problem(_, error)
    sentence = "{detail}" if isinstance(error, Refusal) else SENTENCES.get(status, "{detail}.")
    detail = sentence.format(detail=error.detail)
    return problem(status, detail, dict(error.headers or {}), [])


def unexpected_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A bug: logged here, and told without its insides."""
    log.error("%s %r failed", request.method, request.scope["path"], exc_info=error)
    detail = "Something went wrong inside Brightroom. The server's log has the reason; trying again may help."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, {}, [])


HANDLERS: ExceptionHandlersMap = {
    errors.ServiceError: told_problem,
    errors.PhotoError: told_problem,
    ValidationException: validation_problem,
    HTTPException: http_problem,
    Exception: unexpected_problem,
}
