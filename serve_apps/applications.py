"""A service's model as a Serve application: its name, and its spec with all that the model must know.

Each model's application has a name of its own, so that the next one can load beside the one in use, and what runs can
be compared with what is wanted by names alone. Every replica imports this: it knows no store.
"""

import re
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
    """The application of a service's model; its name follows from all that its replicas are told."""
    whole = complete(spec, settings)
    told = (whole.model_dump_json(), str(settings.weights_dir), repr(settings.scan.call_timeout_s))
    return Application(f"{service}-{home(settings)}{mark(*told)[:8]}", service, whole)


def home(settings: Settings) -> str:
    """What tells the applications of this Brightroom from those of another on the same cluster."""
    return mark(settings.ray.namespace, str(settings.root))[:4]


def mark(*texts: str) -> str:
    """A mark of some texts: other ones have another."""
    return sha256("\0".join(texts).encode()).hexdigest()


def serving(settings: Settings, service: str) -> Application | None:
    """The application that answers for a service; None where no model is configured."""
    spec = settings.services.get(service)
    return application(settings, service, spec) if spec else None


def service_of(settings: Settings, name: str) -> str:
    """The service whose application has that name; empty for an application that is not of this Brightroom."""
    found = re.fullmatch(f"([a-z_]+)-{home(settings)}[0-9a-f]{{8}}", name)
    return found[1] if found and found[1] in SERVICES else ""


def complete(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """The spec with what models of files and of the store need to know of the settings."""
    if spec.kind in MEDIA:
        known = {"media": settings.media.model_dump()}
    elif spec.kind in STORE:
        known = {"settings": settings.model_dump(mode="json", include={"root", "store"})}
    else:
        return spec
    return spec.model_copy(update={"options": {**spec.options, **known}})
