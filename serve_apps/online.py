"""What requests ask of the services: a text's vector, what is near it, how every service is."""

import asyncio

from cluster.errors import Unavailable
from cluster.settings import Settings
from serve_apps.client import ServedModel
from serve_apps.fleet import Fleet, ServiceStatus
from serve_apps.models.similarity import Match, Query

ONLINE_S = 20  # how long a person's request may wait for a model


class Services:
    """The calls to services that requests make. Knows which model's vectors are searched."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.fleet = Fleet(settings)

    def clip_model(self) -> str:
        """The name of the model whose vectors are searched; raises Unavailable when none is configured."""
        if spec := self.settings.services.get("clip_embeddings"):
            return spec.name
        raise Unavailable("no model is configured for clip_embeddings; set services.clip_embeddings in the settings")

    async def embed_text(self, text: str) -> list[float]:
        """The vector of a text, of unit length."""
        vector = await ServedModel("clip_embeddings", ONLINE_S).ask(text)
        return [float(value) for value in vector]

    async def nearest(self, owner: str, model: str, vector: list[float], limit: int) -> list[Match]:
        """The photos of an owner nearest to a vector, best first."""
        found: list[Match] = await ServedModel("image_similarity", ONLINE_S).ask(Query(owner, model, limit, vector))
        return found

    async def similar(self, owner: str, model: str, photo_id: str, limit: int) -> list[Match]:
        """The photos of an owner nearest to one of them, best first, without itself."""
        query = Query(owner, model, limit, photo_id=photo_id)
        found: list[Match] = await ServedModel("image_similarity", ONLINE_S).ask(query)
        return found

    async def services(self) -> list[ServiceStatus]:
        """How every service is."""
        return await asyncio.to_thread(self.fleet.statuses)
