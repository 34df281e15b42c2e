"""Search by a picture that is sent along. Receiving and decoding it is `uploads.py`'s; nothing of it is kept."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import QueryParameter, SkipValidation

from api.access import USER
from api.deps import Given, Me, Owned
from api.fusion import Similar, candidates
from api.gate import PICTURE
from api.photo_filter import FILTERS, Wanted, unless_all
from api.search import Many, nearest_first
from api.uploads import Uploads
from cluster.settings import ApiSettings

Name = Annotated[str, QueryParameter(max_length=255, description="the file's name, which tells camera RAW from TIFF")]


class PicturesLike(msgspec.Struct, frozen=True):
    """The photos most like a picture that was sent, best first."""

    hits: list[Similar]


@dataclass
class TakesPicture(Operation):
    """The description of an operation whose body is a picture, or a form with one."""

    def __post_init__(self) -> None:
        """Say what the body is, which the handler's parameters do not tell."""
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file})
        content = {"application/octet-stream": file, "image/*": file, "multipart/form-data": form}
        described = {media_type: OpenAPIMediaType(schema=schema) for media_type, schema in content.items()}
        self.request_body = RequestBody(content=described, required=True)


@post(
    "/",
    opt={**USER, PICTURE: True}, status_code=200, operation_class=TakesPicture, dependencies=FILTERS,
    summary="Search photos by a picture",
)  # fmt: skip
async def search_image(
    request: Request[Any, Any, Any],
    deps: Given,
    uploads: NamedDependency[SkipValidation[Uploads]],
    owned: Owned,
    user: Me,
    wanted: Wanted,
    limit: Many = 20,
    name: Name = "",
) -> PicturesLike:
    """The photos most like a picture or video sent as the body or as the one file of a form; 400 when it is none.

    Only among those that the filters of `GET /api/photos` let through.
    """
    picture = await uploads.picture(request, user.user_id, name)
    near = await deps.models.embed(picture)
    matches = await deps.models.nearest(user.user_id, near, candidates(limit), unless_all(wanted))
    return PicturesLike(await nearest_first(owned, matches, limit))


def routes(settings: ApiSettings) -> Router:
    """The route, for bodies of the size that the settings allow."""
    most = settings.upload_mb << 20
    return Router("/api/search/image", route_handlers=[search_image], request_max_body_size=most, tags=["search"])
