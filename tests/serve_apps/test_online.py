"""Which model a service is to have, from what is to be other about it; and names that nobody knows."""

from pathlib import Path
from typing import Any

import pytest

from cluster.errors import Invalid, NotFound, Unavailable
from cluster.settings import SERVICES, ModelSpec, Settings
from cluster.store.choices import chosen, text_of
from cluster.store.database import System, open_system
from serve_apps.fleet import Fleet
from serve_apps.online import Services, changed, known

TAGS = ModelSpec(
    kind="imagenet-tags", checkpoint="embedded:efficientnet-lite0", revision="1", batch_size=8,
    options={"min_score": 0.3, "max_tags": 5},
)  # fmt: skip
CLIP = ModelSpec(kind="clip", checkpoint="embedded:clip", revision="1", gpus=0.75)
SETTINGS = Settings(services={"tags": TAGS, "clip_embeddings": CLIP, "llm": None}, gpus_per_node=1, gpu_memory_gb=80)


def test_what_is_left_out_stays_as_it_is():
    """One thing is other; nothing at all is the same model."""
    assert changed(SETTINGS, "tags", {"revision": "2"}) == TAGS.model_copy(update={"revision": "2"})
    assert changed(SETTINGS, "tags", {}) == TAGS


def test_options_are_replaced_whole():
    """Whoever names them names all of them."""
    assert changed(SETTINGS, "tags", {"options": {"min_score": 0.5}}).options == {"min_score": 0.5}


def test_a_change_of_kind_forgets_the_options_of_the_other_kind():
    """They may mean nothing to it; what it is told itself counts."""
    other = {"kind": "zero-shot-tags", "checkpoint": "embedded:clip"}

    assert changed(SETTINGS, "tags", other).options == {}
    assert changed(SETTINGS, "tags", {**other, "options": {"max_tags": 3}}).options == {"max_tags": 3}
    assert changed(SETTINGS, "tags", {**other, "kind": "imagenet-tags"}).options == TAGS.options


def test_a_service_without_a_model_takes_one_that_is_named_in_full():
    """What is left out is as the settings have it by default; the kind cannot be."""
    assert changed(SETTINGS, "llm", {"kind": "llm", "checkpoint": "owner/name"}).batch_size == 32
    with pytest.raises(Invalid, match=r"services\.llm\.kind"):
        changed(SETTINGS, "llm", {"checkpoint": "owner/name"})


@pytest.mark.parametrize(
    ("service", "changes", "why"),
    [
        ("tags", {"kind": "dance"}, "there is no model of kind dance"),
        ("tags", {"kind": "ocr"}, "choose imagenet-tags or zero-shot-tags"),
        ("tags", {"gpus": 0.5}, "0.5 .*is more than the 1 of gpus_per_node"),
        ("tags", {"gpus": 0.25, "gpu_memory_gb": 40}, "more than its share"),
        ("tags", {"gpus": 2}, r"services\.tags\.gpus"),
        ("tags", {"options": {"sauce": 1}}, r"options\.sauce"),
        ("tags", {"options": {"min_score": 7}}, r"options\.min_score"),
        ("tags", {"batch_size": 0}, r"services\.tags\.batch_size"),
        ("tags", {"device": "abacus"}, "no device abacus"),
        ("tags", {"min_replicas": 3}, "max_replicas"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_a_sentence(service: str, changes: dict[str, Any], why: str):
    """Also for what the other services have of the GPUs."""
    with pytest.raises(Invalid, match=why):
        changed(SETTINGS, service, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"checkpoint": "https://ann:SECRETSECRET@hub.example/x"},
        {"checkpoint": "hf-hub:https://hub.example/x?token=SECRETSECRET"},
        {"revision": "https://ann:SECRETSECRET@hub.example/x"},
        {"kind": "https://ann:SECRETSECRET@hub.example/x"},
        {"kind": "zero-shot-tags", "options": {"vocabulary": "https://ann:SECRETSECRET@hub.example/words"}},
    ],
)
def test_an_address_is_refused_and_not_repeated(changes: dict[str, Any]):
    """It may hold a password, and what models are called is stored, logged and shown."""
    with pytest.raises(Invalid, match="an address cannot stand here") as refused:
        changed(SETTINGS, "tags", changes)

    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_only_services_are_known():
    """Another name is answered with those there are."""
    assert [known(name) for name in SERVICES] == list(SERVICES)
    for name in ("", "Tags", "tags ", "../tags", "all"):
        with pytest.raises(NotFound, match="image_similarity"):
            known(name)


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A store whose models are as the settings say."""
    return open_system(Settings(root=tmp_path))


@pytest.fixture
def services(system: System, tmp_path: Path) -> Services:
    """The services of a Brightroom whose cluster is not asked for anything here."""
    fleet = Fleet(SETTINGS.model_copy(update={"root": tmp_path}), system)
    fleet.settle()
    return Services(fleet)


def test_what_is_refused_changes_nothing(services: Services, system: System):
    """Neither what is wanted nor what is chosen."""
    before = system.choices.all()

    with pytest.raises(NotFound):
        services.choose("dance", {}, "ann")
    with pytest.raises(Invalid):
        services.choose("tags", {"kind": "ocr"}, "ann")
    with pytest.raises(NotFound):
        services.stop("dance", "ann")
    with pytest.raises(Unavailable, match=r"services\.llm"):
        services.start("llm", "ann")

    assert system.choices.all() == before
    assert system.services.wishes() == {}


def test_a_stopped_service_is_told_with_what_starts_it_and_its_model_stays_known(services: Services, system: System):
    """Nothing is asked of a cluster to say so."""
    assert services.served("tags", 5)[0] == TAGS.name
    system.services.want("tags", "stopped", "ann")

    with pytest.raises(Unavailable, match="brightroom start-service tags"):
        services.served("tags", 5)
    assert services.searched_model() == CLIP.name


def test_the_model_that_is_asked_is_the_one_in_use_until_the_swap(services: Services, system: System):
    """Whatever is chosen; from the swap on it is the new one, without a restart of who asks."""
    choice = system.choices.choose("tags", changed(SETTINGS, "tags", {"revision": "2"}), "ann")
    before = services.served("tags", 5)

    system.choices.swap(choice)
    after = services.served("tags", 5)

    assert (before[0], after[0]) == (TAGS.name, "embedded:efficientnet-lite0@2")
    assert before[1].application != after[1].application


def test_a_second_change_is_of_the_model_chosen_last(services: Services, system: System):
    """Not of the one in use: whoever changes two things one after the other gets both."""
    for changes in ({"revision": "2"}, {"batch_size": 3}):
        last = chosen(services.fleet.settings, system.choices.all())
        system.choices.choose("tags", changed(last, "tags", changes), "ann")

    assert services.fleet.in_use().services["tags"] == TAGS
    both = TAGS.model_copy(update={"revision": "2", "batch_size": 3})
    assert system.choices.all()["tags"].chosen == text_of(both)
