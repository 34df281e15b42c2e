"""Which model a service computes with, while that changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.settings import ModelSpec, Settings
from cluster.store.choices import KEPT_READY, Choices, chosen, in_use, text_of
from cluster.store.database import open_system

OLD, NEW, NEWER = (ModelSpec(kind="clip", checkpoint=name) for name in ("old", "new", "newer"))


class Turned:
    """A clock that is turned by hand."""

    now = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Turned:
    """A clock."""
    return Turned()


@pytest.fixture
def choices(tmp_path: Path, clock: Turned) -> Choices:
    """The choices of a new store."""
    return open_system(Settings(root=tmp_path / "data"), clock).choices


def models(choices: Choices) -> tuple[str, str]:
    """What is in use and what is chosen for CLIP."""
    found = choices.all()["clip"]
    return found.in_use, found.chosen


def test_what_the_settings_say_first_is_in_use_at_once(choices: Choices):
    """There is nothing to change from."""
    choices.settle("clip", OLD)

    assert models(choices) == (text_of(OLD), text_of(OLD))
    assert not choices.all()["clip"].changing


def test_settings_that_change_are_a_change_of_model_and_the_same_settings_are_none(choices: Choices):
    """The model in use stays until the swap."""
    choices.settle("clip", OLD)
    choices.settle("clip", OLD)
    assert not choices.all()["clip"].changing

    choices.settle("clip", NEW)

    assert models(choices) == (text_of(OLD), text_of(NEW))
    assert choices.swap(choices.all()["clip"])
    assert models(choices) == (text_of(NEW), text_of(NEW))


def test_a_persons_choice_outlives_a_restart_with_the_same_settings(choices: Choices):
    """Until the settings themselves are changed."""
    choices.settle("clip", OLD)
    choices.choose("clip", NEW, "admin")

    choices.settle("clip", OLD)
    assert models(choices) == (text_of(OLD), text_of(NEW))

    choices.settle("clip", NEWER)
    assert models(choices) == (text_of(OLD), text_of(NEWER))
    assert choices.all()["clip"].changed_by == ""


def test_a_swap_to_what_is_no_longer_chosen_is_refused(choices: Choices):
    """Somebody thought better of it meanwhile."""
    choices.settle("clip", OLD)
    seen = choices.choose("clip", NEW, "admin")
    choices.choose("clip", OLD, "admin")

    assert not choices.swap(seen)
    assert models(choices) == (text_of(OLD), text_of(OLD))


def test_a_service_without_a_model_takes_the_first_one_at_once(choices: Choices):
    """By choice as by settings, and settings that take it away take it away at once."""
    choices.settle("clip", None)
    assert models(choices) == ("", "")

    choices.choose("clip", NEW, "admin")
    assert models(choices) == (text_of(NEW), text_of(NEW))

    choices.settle("clip", OLD)
    choices.settle("clip", None)
    assert models(choices) == ("", "")


def test_the_model_before_stays_ready_for_a_while(choices: Choices, clock: Turned):
    """Requests that were under way at the swap still ask it."""
    choices.settle("clip", OLD)
    choices.swap(choices.choose("clip", NEW, "admin"))

    assert choices.kept_ready(choices.all()["clip"])
    clock.now += KEPT_READY + timedelta(seconds=1)
    assert not choices.kept_ready(choices.all()["clip"])


def test_settings_are_told_with_the_models_in_use_or_chosen(choices: Choices):
    """Whatever they came with."""
    settings = Settings(services={"clip_embeddings": OLD})
    choices.settle("clip_embeddings", OLD)
    choices.choose("clip_embeddings", NEW, "admin")

    assert in_use(settings, choices.all()).services["clip_embeddings"] == OLD
    assert chosen(settings, choices.all()).services["clip_embeddings"] == NEW
    assert in_use(settings, {}) == settings
