"""Which Serve applications there are to be: one for each service that is wanted, named after it and its model.

A model's application has a name of its own, so that the next one can load beside the one in use, and what runs can be
compared with what is wanted by names alone. Pure: asks no cluster.
"""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from cluster.settings import SERVICES, ModelSpec, Settings
from cluster.store.choices import Choice, spec_of
from cluster.store.services import Wish

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


def wanted(
    settings: Settings, choices: Mapping[str, Choice], wishes: Mapping[str, Wish], kept_ready: set[str]
) -> dict[str, Application]:
    """Every application that is to run, by name: of services that nobody stopped, the models in use and the chosen.

    Of those in `kept_ready` the model that was in use before, too. `settings` are those with the models in use.
    """
    found: dict[str, Application] = {}
    for service, spec in settings.models.items():
        if service in wishes and wishes[service].wanted == "stopped":
            continue
        choice = choices.get(service)
        others = [choice.chosen, choice.before if service in kept_ready else ""] if choice else []
        for one in [spec, *[other for text in others if (other := spec_of(text))]]:
            app = application(settings, service, one)
            found[app.name] = app
    return found


def complete(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """The spec with what models of files and of the store need to know of the settings."""
    if spec.kind in MEDIA:
        known = {"media": settings.media.model_dump()}
    elif spec.kind in STORE:
        known = {"settings": settings.model_dump(mode="json", include={"root", "store"})}
    else:
        return spec
    return spec.model_copy(update={"options": {**known, **spec.options}})
