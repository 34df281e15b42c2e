"""A service's model as a Serve application: its name, and its spec with all that the model must know.

Each model's application has a name of its own, so that the next one can load beside the one in use, and what runs can
be compared with what is wanted by names alone. Every replica imports this: it knows no store.
"""

from hashlib import sha256

import msgspec

from cluster.settings import SERVICES, ModelSpec, Settings

MEDIA, STORE = ("thumbnail", "exif"), ("similarity",)  # kinds that must know of the settings


class Application(msgspec.Struct, frozen=True):
    """One application: the model of one service."""

    name: str
    service: str
    spec: ModelSpec


def application(settings: Settings, service: str, spec: ModelSpec) -> Application:
    """The application of a service's model."""
    whole = complete(spec, settings)
    mark = sha256(whole.model_dump_json().encode()).hexdigest()[:8]
    return Application(f"{service}-{mark}", service, whole)


def serving(settings: Settings, service: str) -> Application | None:
    """The application that answers for a service; None where no model is configured."""
    spec = settings.services.get(service)
    return application(settings, service, spec) if spec else None


def service_of(name: str) -> str:
    """The service whose application has that name; empty for an application that is not ours."""
    service = name.rpartition("-")[0]
    return service if service in SERVICES else ""


def complete(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """The spec with what models of files and of the store need to know of the settings."""
    if spec.kind in MEDIA:
        known = {"media": settings.media.model_dump()}
    elif spec.kind in STORE:
        known = {"settings": settings.model_dump(mode="json", include={"root", "store"})}
    else:
        return spec
    return spec.model_copy(update={"options": {**known, **spec.options}})
