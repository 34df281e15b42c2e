"""A search from the command line: with the running CLIP service where there is one, else with the model loaded here."""

from typing import Any

from api.fusion import AT_LEAST, fused, worded
from cluster.errors import Unavailable
from cluster.runtime import connect, running_head
from cluster.settings import Settings
from cluster.store.database import Library
from serve_apps.applications import serving
from serve_apps.client import ServedModel
from serve_apps.models import load
from serve_apps.models.embedded import compose
from serve_apps.models.similarity import Match
from serve_apps.online import ONLINE_S


def found(settings: Settings, library: Library, text: str, limit: int) -> list[dict[str, Any]]:
    """The photos that fit a text best, best first, by what they show and by the words known of them."""
    spec = settings.services.get("clip_embeddings")
    near = library.nearest(spec.name, text_vector(settings, text), max(AT_LEAST, limit)) if spec else []
    pictures = [Match(*hit) for hit in near]
    hits = fused(library, pictures, worded(library, text, max(AT_LEAST, limit)), limit)
    rows = {row["photo_id"]: row for row in library.photos.by_keys([hit.photo.photo_id for hit in hits]).to_pylist()}
    columns = ("photo_id", "name", "taken_at", "place", "country", "caption", "tags")
    return [
        {**{name: rows[hit.photo.photo_id][name] for name in columns}, "score": hit.score,
         "picture": hit.picture.score if hit.picture else None, "text": hit.text.score if hit.text else None}
        for hit in hits
    ]  # fmt: skip


def text_vector(settings: Settings, text: str) -> list[float]:
    """The vector of a text, of unit length."""
    return [float(value) for value in (asked(settings, text) or computed(settings, text))]


def asked(settings: Settings, text: str) -> list[float]:
    """The vector that the running service gives; empty when none runs."""
    if not settings.ray.address and not running_head(settings):
        return []
    connect(settings)
    try:
        app = serving(settings, "clip_embeddings")
        return list(ServedModel(app.name, ONLINE_S).predict([text])[0]) if app else []
    except Unavailable:
        return []


def computed(settings: Settings, text: str) -> list[float]:
    """The vector that the model gives in this process."""
    spec = settings.services["clip_embeddings"]
    assert spec is not None
    if spec.checkpoint.startswith("embedded:"):
        compose(settings.weights_dir)
    return list(load(spec, settings.weights_dir).predict([text])[0])
