"""Which applications there are to be, by names alone."""

import subprocess
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster.settings import MediaSettings, ModelSpec, Settings
from cluster.store.choices import Choice, in_use, text_of
from cluster.store.services import Wanted, Wish
from serve_apps.applications import application, service_of, serving
from serve_apps.plan import wanted

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OLD, NEW, BEFORE = (ModelSpec(kind="clip", checkpoint=name, revision="1") for name in ("old", "new", "before"))
TAGS = ModelSpec(kind="imagenet-tags", checkpoint="embedded:efficientnet-lite0", revision="1")
SIMILARITY, EXIF = ModelSpec(kind="similarity"), ModelSpec(kind="exif")
ALL = {"image_similarity": SIMILARITY, "clip_embeddings": OLD, "tags": TAGS, "exif": EXIF, "llm": None}
SETTINGS = Settings(root=Path("/photos"), services=ALL)
OTHER: dict[str, Any] = {
    "kind": "blip", "checkpoint": "other", "revision": "2", "dtype": "float16", "device": "cpu", "batch_size": 7,
    "cpus": 2, "gpus": 0.5, "gpu_memory_gb": 3, "min_replicas": 0, "idle_s": 7, "max_replicas": 2, "options": {"a": 1},
}  # fmt: skip


def choice(service: str, in_use: ModelSpec, chosen: ModelSpec | None = None, before: ModelSpec | None = None) -> Choice:
    """A service's models."""
    told = text_of(in_use)
    return Choice(service, told, told, text_of(chosen) if chosen else told, text_of(before), "", NOON, NOON)


def names(choices: dict[str, Choice], ready: Collection[str] = (), **wishes: Wanted) -> set[str]:
    """What is wanted: services, and checkpoints of CLIP."""
    noted = {name: Wish(name, wish, NOON, "ann") for name, wish in wishes.items()}
    apps = wanted(in_use(SETTINGS, choices), choices, noted, set(ready))
    assert all(name == app.name for name, app in apps.items())
    return {app.spec.checkpoint if app.service == "clip_embeddings" else app.service for app in apps.values()}


def test_the_same_model_has_the_same_name_in_every_process():
    """Otherwise each restart would load every model anew; how a spec was written does not matter."""
    script = """
import sys
from pathlib import Path
from cluster.settings import ModelSpec, Settings
from serve_apps.applications import application
print(application(Settings(root=Path("/photos")), "clip_embeddings", ModelSpec.model_validate_json(sys.argv[1])).name)
"""
    short = OLD.model_dump_json(exclude_defaults=True)
    elsewhere = subprocess.check_output([sys.executable, "-c", script, short], text=True)

    assert elsewhere.strip() == application(SETTINGS, "clip_embeddings", OLD).name


def test_the_fields_that_a_name_depends_on_are_all_there_are():
    """So that what follows leaves none out."""
    assert set(OTHER) == set(ModelSpec.model_fields)


@pytest.mark.parametrize("field", OTHER)
def test_a_model_that_differs_in_any_way_has_another_name(field: str):
    """It has to be loaded anew."""
    other = OLD.model_copy(update={field: OTHER[field]})

    assert application(SETTINGS, "tags", other).name != application(SETTINGS, "tags", OLD).name


def test_a_models_application_is_known_by_its_name():
    """Names of other people's applications are nobody's service, also those of another Brightroom on the cluster."""
    ours = application(SETTINGS, "clip_embeddings", OLD).name
    elsewhere = application(SETTINGS.model_copy(update={"root": Path("/elsewhere")}), "clip_embeddings", OLD).name
    others = ("default", "clip_embeddings", "llm-chat", f"x-{ours}", f"{ours}0", ours.upper(), "", elsewhere)

    assert service_of(SETTINGS, ours) == "clip_embeddings"
    assert [service_of(SETTINGS, name) for name in others] == [""] * len(others)


def test_every_configured_service_has_one_application():
    """One without a model has none."""
    assert names({}) == {"image_similarity", "old", "tags", "exif"}
    assert serving(SETTINGS, "llm") is None


def test_a_stopped_service_has_none_also_while_its_model_changes():
    """One that was started again has."""
    changing = {"clip_embeddings": choice("clip_embeddings", OLD, NEW, BEFORE)}

    assert names(changing, {"clip_embeddings"}, clip_embeddings="stopped") == {"image_similarity", "tags", "exif"}
    assert names({}, clip_embeddings="running", tags="stopped") == {"image_similarity", "old", "exif"}


def test_a_change_under_way_has_both_models():
    """The one in use answers until the other one is ready; afterwards only that one is wanted."""
    others = {"image_similarity", "tags", "exif"}
    changing = {"clip_embeddings": choice("clip_embeddings", OLD, NEW)}

    assert names(changing) == others | {"old", "new"}
    assert names({"clip_embeddings": choice("clip_embeddings", NEW)}) == others | {"new"}


def test_the_model_before_is_kept_while_it_is_to_be_ready():
    """Requests under way at the swap ask it still."""
    swapped = {"clip_embeddings": choice("clip_embeddings", NEW, before=OLD)}

    assert names(swapped, {"clip_embeddings"}) - names(swapped) == {"old"}
    assert names(swapped, {"tags"}) == names(swapped)


def test_a_service_that_the_settings_took_the_model_of_has_none():
    """Whatever it computed with."""
    away = Choice("tags", "", "", "", text_of(TAGS), "", NOON, NOON)

    assert names({"tags": away}) == {"image_similarity", "old", "exif"}


def test_a_change_of_one_services_model_renames_no_other_application():
    """Neither that of the service which searches the vectors nor any other: they would start anew for nothing."""
    after = in_use(SETTINGS, {"clip_embeddings": choice("clip_embeddings", NEW)})

    for service in ("image_similarity", "tags", "exif"):
        assert serving(after, service) == serving(SETTINGS, service)
    assert serving(after, "clip_embeddings") != serving(SETTINGS, "clip_embeddings")


def test_models_that_need_settings_are_told_them_and_renamed_with_them():
    """Where the store is, and the limits of files; the specs of others stay as they are."""
    moved = SETTINGS.model_copy(update={"root": Path("/elsewhere")})
    larger = SETTINGS.model_copy(update={"media": MediaSettings(memory_mb=3000)})

    def renamed(settings: Settings) -> set[str]:
        apps = {service: (serving(settings, service), serving(SETTINGS, service)) for service in SETTINGS.models}
        return {service for service, (one, other) in apps.items() if one and other and one.spec != other.spec}

    assert renamed(moved) == {"image_similarity"}
    assert renamed(larger) == {"exif"}
    similarity = serving(moved, "image_similarity")
    assert similarity
    assert similarity.spec.options["settings"]["root"] == "/elsewhere"
