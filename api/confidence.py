"""How sure training must be of whose a face is: one number for each library, its owner's to choose."""

from typing import Annotated

import msgspec
from litestar import Router, get, put
from litestar.params import JSONBody

from api.access import USER
from api.deps import Owned


class Confidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The probability from which on a face counts as a person's without anybody having said so."""

    confidence: Annotated[float, msgspec.Meta(ge=0.5, le=0.999)]


@get("/confidence", opt=USER, sync_to_thread=True, summary="How sure training must be")
def show_confidence(owned: Owned) -> Confidence:
    """The probability from which on a face is inferred."""
    return Confidence(owned.confidence)


@put("/confidence", opt=USER, sync_to_thread=True, summary="Choose how sure training must be")
def choose_confidence(data: JSONBody[Confidence], owned: Owned) -> Confidence:
    """The probability from which on a face is inferred; the next training acts on it."""
    owned.set_confidence(data.confidence)
    return Confidence(owned.confidence)


ROUTES = Router("/api/library", route_handlers=[show_confidence, choose_confidence], tags=["library"])
