"""Settings: a slip of the pen stops the start with a sentence that names the key."""

import pickle
from pathlib import Path

import pytest

from cluster.errors import SettingsError
from cluster.settings import CONFIGS, load_settings


@pytest.mark.parametrize("name", ["embedded", "gpu", "cluster"])
def test_the_shipped_files_are_valid(name: str):
    """Each loads, names all nine services, and travels to other processes."""
    settings = load_settings(CONFIGS / f"{name}.yaml")

    assert len(settings.services) == 9
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_environment_goes_over_the_file(monkeypatch: pytest.MonkeyPatch):
    """Depth is written with two underscores; null takes a service away."""
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "7")
    monkeypatch.setenv("BRIGHTROOM_SERVICES__TAGS", "null")
    monkeypatch.setenv("BRIGHTROOM_SCAN__SKIP", '["a", "b"]')

    settings = load_settings(CONFIGS / "embedded.yaml")

    assert settings.scan.batch_size == 7
    assert settings.scan.skip == ["a", "b"]
    assert settings.services["tags"] is None
    assert "tags" not in settings.revisions


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BRIGHTROOM_SCAN__FOO", "1", "scan.foo: there is no such setting"),
        ("BRIGHTROOM_SACN__BATCH_SIZE", "1", "there is no setting sacn"),
        ("BRIGHTROOM_API__PORT", "many", "api.port"),
        ("BRIGHTROOM_SCAN__SKIP", "[oops", "scan"),
        ("BRIGHTROOM_SERVICES__CLIP_EMBEDDINGS__GPUS", "1.5", "services.clip_embeddings.gpus"),
        ("BRIGHTROOM_SERVICES__TAGS__GPUS", "0.9", "tags 0.9"),
        ("BRIGHTROOM_WEIGHTS", "/no/such/folder", "weights: /no/such/folder"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str):
    """Unknown keys, bad values, shares that do not fit and missing paths."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        load_settings(CONFIGS / "embedded.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scan: {batch_size: 0}", "scan.batch_size"),
        ("services: {faces: null}", "services.faces: there is no such service"),
        ("services: {tags: {kind: x, colour: red}}", "services.tags.colour: there is no such setting"),
        (
            "gpus_per_node: 1\nservices: {tags: {kind: x, gpus: 0.6}, ocr: {kind: x, gpus: 0.6}}",
            "tags 0.6 . ocr 0.6 = 1.2",
        ),
        (
            "gpus_per_node: 1\ngpu_memory_gb: 10\nservices: {tags: {kind: x, gpus: 0.5, gpu_memory_gb: 6}}",
            "services.tags.gpu_memory_gb: 6 GB is more than its share",
        ),
        ("a: [", "a"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, said: str):
    """The sentence has the file and the key."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=said) as told:
        load_settings(file)
    assert "mine.yaml" in str(told.value)


def test_a_missing_file_is_named(tmp_path: Path):
    """The variable that names it is in the sentence."""
    with pytest.raises(SettingsError, match="BRIGHTROOM_CONFIG"):
        load_settings(tmp_path / "none.yaml")
