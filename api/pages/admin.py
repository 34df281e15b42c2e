"""Administration: services and how they are, which of them run, their models; and the settings, to read."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from api.access import ADMIN
from api.pages.inside import Asked, Inside
from api.pages.page import page
from api.pages.service_cells import lasting, of_service, of_services
from cluster.specs import KINDS_OF

Query = Annotated[str, QueryParameter(max_length=200)]
Given = Annotated[bool, QueryParameter(description="only what is not left at its default")]
WITHOUT_MODEL = ("similarity", "thumbnail", "exif")  # kinds whose checkpoint says nothing
ACTIVE = "admin"  # in the navigation


@get("/admin", opt=ADMIN, include_in_schema=False)
async def services_page(request: Asked) -> Template:
    """All services, each with how it is."""
    inside = Inside(request)
    services = await inside.get("/api/services")
    return await page(request, "admin_services.html", ACTIVE, tab="services", services=services,
                      cells=of_services(services))  # fmt: skip


@get("/admin/services.json", opt=ADMIN, include_in_schema=False)
async def service_rows(request: Asked) -> Response[dict[str, Any]]:
    """What has become of the rows of that page."""
    return Response({"cells": of_services(await Inside(request).get("/api/services"))})


@get("/admin/services/{name:str}", opt=ADMIN, include_in_schema=False)
async def service_page(request: Asked, name: FromPath[str]) -> Template:
    """One service: its replicas, what went wrong, starting and stopping it, and another model for it."""
    service = await Inside(request).get(f"/api/services/{name}")
    checkpoint, _, revision = service["model"].rpartition("@")
    return await page(
        request, "admin_service.html", ACTIVE, tab="services", service=service, cells=of_services([service]),
        row=of_service(service), checkpoint=checkpoint, revision=revision, kinds=KINDS_OF.get(name, ()),
        has_model=service["kind"] not in WITHOUT_MODEL, lasting=lasting,
    )  # fmt: skip


@get("/admin/settings", opt=ADMIN, include_in_schema=False)
async def settings_page(request: Asked, q: Query = "", given: Given = False) -> Template:
    """Every setting with its value and where that comes from; where words are asked for, those that have them."""
    told = await Inside(request).get("/api/server/settings")
    found = [one for one in told["settings"] if fits(one, q) and not (given and one["source"] == "default")]
    sections = [(name, list(ones)) for name, ones in groupby(found, key=lambda one: one["section"])]
    shown = {"file": told["file"], "sections": joined(sections), "q": q, "given": given, "written": written}
    return await page(request, "admin_settings.html", ACTIVE, tab="settings", **shown)


def fits(setting: Mapping[str, Any], text: str) -> bool:
    """Whether all words of a text are in a setting's key, description or value."""
    about = " ".join(str(setting[name]) for name in ("key", "description", "value", "giver"))
    return has_words(about, text)


def has_words(about: str, text: str) -> bool:
    """Whether all words of a text are in another, large or small."""
    return all(word in about.casefold() for word in text.casefold().split())


def joined(sections: Sequence[tuple[str, list[Any]]]) -> dict[str, list[Any]]:
    """Sections by name, those that stand apart put together."""
    found: dict[str, list[Any]] = {}
    for name, ones in sections:
        found.setdefault(name, []).extend(ones)
    return found


def written(value: Any) -> str:
    """A setting's value as its file has it; "" for none."""
    if value is None or value in ([], {}, ""):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return ", ".join(written(one) for one in value) if isinstance(value, list) else str(value)


HANDLERS = [services_page, service_rows, service_page, settings_page]
