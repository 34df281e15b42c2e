"""Which Serve applications there are to be: of each service that nobody stopped, those of its models. Pure."""

from collections.abc import Mapping

from cluster.settings import Settings
from cluster.store.choices import Choice, spec_of
from cluster.store.services import Wish
from serve_apps.applications import Application, application


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
