"""Cursors: where a page ended, as text that only we read. They hold no secret; whose rows are paged is not in them."""

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec
from litestar.params import QueryParameter

from cluster.errors import Invalid

MOST = 500  # rows of a page

Position = TypeVar("Position")

Cursor = Annotated[str, QueryParameter(max_length=512, description="where the page before ended: its `next_cursor`")]
Limit = Annotated[int | None, QueryParameter(ge=1, le=MOST, description="rows of a page; the settings have a default")]


def encode(position: object) -> str:
    """A position as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode(cursor: str, kind: type[Position]) -> Position | None:
    """The position of a cursor, None for an empty one. Raises Invalid for one that we did not make."""
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid(
            "This cursor is not one that Brightroom gave out. Start from the first page, without it."
        ) from None
