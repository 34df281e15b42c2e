"""What requests ask of the services: vectors, what is near them, sentences; and which of them are to run.

Which application answers for a service is read from the store each time: it changes while requests are answered.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import ValidationError
from ray.exceptions import RayTaskError

from cluster.errors import Invalid, NotFound, PhotoError, Unavailable
from cluster.settings import SERVICES, ModelSpec, Settings
from cluster.shares import Demand, refusal
from cluster.sources import first_fault
from cluster.store.choices import chosen
from cluster.store.timeline import PhotoFilter
from serve_apps.applications import serving
from serve_apps.client import ServedModel
from serve_apps.fleet import Fleet
from serve_apps.models.protocol import Caption, CaptionRequest, DetectedFace, Image, SentenceRequest
from serve_apps.models.similarity import Match, Query
from serve_apps.status import UNCONFIGURED, ServiceStatus, how_to_start

ONLINE_S = 20  # how long a person's request may wait for a model
CAPTION_S = 120  # and for a caption, which large models take their time over
SENTENCE_S = 60  # and for a better one
log = logging.getLogger(__name__)


class Embedded(msgspec.Struct, frozen=True):
    """A vector of unit length, and the model it is of: vectors of two models are never compared."""

    model: str
    vector: list[float]


class FacesSeen(msgspec.Struct, frozen=True):
    """The faces of a picture, and the model that their vectors are of."""

    model: str
    faces: list[DetectedFace]


class Services:
    """The calls to services that requests make, and what administrators want of services."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    async def embed(self, item: str | Image) -> Embedded:
        """The vector of a text or a picture, by the model whose vectors are searched."""
        model, served = await asyncio.to_thread(self.served, "clip_embeddings", ONLINE_S)
        vector = await served.ask(item)
        return Embedded(model, [float(value) for value in vector])

    async def nearest(self, owner: str, near: Embedded, limit: int, within: PhotoFilter | None = None) -> list[Match]:
        """The photos of an owner nearest to a vector, best first; among those alone that a filter lets through."""
        return await self.searched(Query(owner, near.model, limit, near.vector, within=within))

    async def similar(self, owner: str, photo_id: str, limit: int) -> list[Match]:
        """The photos of an owner nearest to one of them, best first, without itself."""
        model = await asyncio.to_thread(self.searched_model)
        return await self.searched(Query(owner, model, limit, photo_id=photo_id))

    async def searched(self, query: Query) -> list[Match]:
        """What image_similarity answers."""
        _, served = await asyncio.to_thread(self.served, "image_similarity", ONLINE_S)
        found: list[Match] = await served.ask(query)
        return found

    async def caption(self, request: CaptionRequest) -> Caption:
        """A sentence for a picture by the captioner, made better by the llm where one runs and can."""
        _, captioner = await asyncio.to_thread(self.served, "image_captioning", CAPTION_S)
        caption: Caption = await captioner.ask(request)
        try:
            _, llm = await asyncio.to_thread(self.served, "llm", SENTENCE_S)
            facts = SentenceRequest(
                caption=caption.text, caption_by=caption.made_by, tags=request.tags, people=request.people,
                place=request.place, taken_at=request.taken_at,
            )  # fmt: skip
            better: Caption = await llm.ask(facts)
        except (Unavailable, PhotoError, RayTaskError) as error:  # not configured, stopped, away, or at its wits' end
            log.info("a caption was not made better: %s", error)
            return caption
        return better

    async def faces(self, image: Image) -> FacesSeen:
        """The faces in a picture, with the vectors of the model that faces are compared by."""
        model, served = await asyncio.to_thread(self.served, "face_recognition", ONLINE_S)
        try:
            return FacesSeen(model, await served.ask(image))
        except RayTaskError as error:
            if isinstance(error, PhotoError):
                raise
            log.warning("face_recognition failed over a picture", exc_info=True)
            raise Unavailable(
                "the service face_recognition could not look at this picture; its log says why"
            ) from error

    def searched_model(self) -> str:
        """The name of the model whose vectors are searched; raises Unavailable when none is configured."""
        if spec := self.fleet.in_use().services.get("clip_embeddings"):
            return spec.name
        raise unconfigured("clip_embeddings")

    def served(self, service: str, timeout_s: float) -> tuple[str, ServedModel]:
        """The name of the model a service computes with, and the model; blocks.

        Raises Unavailable when there is none, or when somebody stopped the service.
        """
        settings = self.fleet.in_use()
        app = serving(settings, service)
        if app is None:
            raise unconfigured(service)
        if self.fleet.system.services.wanted(service) == "stopped":
            raise Unavailable(f"the service {service} is stopped; {how_to_start(service)}")
        return app.spec.name, ServedModel(app.name, timeout_s)

    async def services(self) -> list[ServiceStatus]:
        """How every service is."""
        return await asyncio.to_thread(self.fleet.statuses)

    def start(self, name: str, by: str) -> ServiceStatus:
        """Want a service running; blocks, as do the two that follow.

        Raises NotFound, and Unavailable for a service without a model.
        """
        if serving(self.fleet.in_use(), known(name)) is None:
            raise unconfigured(name)
        self.fleet.start(name, by)
        return self.fleet.status(name)

    def stop(self, name: str, by: str) -> ServiceStatus:
        """Want a service stopped; raises NotFound."""
        self.fleet.stop(known(name), by)
        return self.fleet.status(name)

    def choose(self, name: str, changes: Mapping[str, Any], by: str) -> ServiceStatus:
        """Choose the model of a service by what is other than in the one chosen last.

        Raises NotFound for a service, and Invalid for a model that cannot be.
        """
        choices = self.fleet.system.choices
        settings = chosen(self.fleet.settings, choices.all())
        spec = changed(settings, known(name), changes)
        self.require_room(name, spec)
        choices.choose(name, spec, by)
        return self.fleet.status(name)

    def require_room(self, name: str, spec: ModelSpec) -> None:
        """Raise Invalid where a service's next model has no place on a GPU beside the models that run now."""
        settings, wishes = self.fleet.in_use(), self.fleet.system.services.wishes()
        stopped = {service for service, wish in wishes.items() if wish.wanted == "stopped"}
        if name in stopped or not spec.gpus or settings.services.get(name) in (None, spec):
            return
        beside = [demand for demand in settings.gpu_demands if demand.who not in stopped]
        if refused := refusal(
            [*beside, Demand(f"{name}'s next model", spec.gpus, spec.max_replicas)], settings.gpus_per_node
        ):
            raise Invalid(f"There is no room beside the model in use: {refused}; or stop another service meanwhile.")


def known(name: str) -> str:
    """The name of a service; raises NotFound for any other."""
    if name not in SERVICES:
        raise NotFound(f"There is no service of this name; there are {', '.join(SERVICES)}.")
    return name


def unconfigured(service: str) -> Unavailable:
    """What to tell a person who asks a service that has no model."""
    return Unavailable(
        f"{service}: {UNCONFIGURED.get(service, f'no model is configured; set services.{service} in the settings')}"
    )


def changed(settings: Settings, name: str, changes: Mapping[str, Any]) -> ModelSpec:
    """A service's model with some things other; raises Invalid when it cannot be, also beside the other services.

    Options are another kind's business: a change of kind forgets them.
    """
    before = settings.services.get(name)
    given = before.model_dump() if before else {}
    if before and changes.get("kind", before.kind) != before.kind:
        given.pop("options")
    whole = settings.model_dump()
    whole["services"][name] = {**given, **changes}
    try:
        spec = Settings.model_validate(whole).services[name]
    except ValidationError as error:
        raise Invalid(f"This model cannot be: {first_fault(error)}") from None
    assert spec is not None
    return spec
