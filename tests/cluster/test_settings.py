"""Settings: a slip of the pen stops the start with a sentence that names the key."""

import ast
import pickle
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from cluster.errors import SettingsError
from cluster.settings import CONFIGS, load_settings
from cluster.specs import KINDS_OF, OPTIONS
from serve_apps.models import KINDS


@pytest.mark.parametrize("name", ["embedded", "gpu", "cluster"])
def test_the_shipped_files_are_valid(name: str):
    """Each loads, names all nine services, and travels to other processes."""
    settings = load_settings(CONFIGS / f"{name}.yaml")

    assert len(settings.services) == 9
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_environment_goes_over_the_file(monkeypatch: pytest.MonkeyPatch):
    """Depth is written with two underscores; null takes a service away; an option has its type."""
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "7")
    monkeypatch.setenv("BRIGHTROOM_SERVICES__TAGS", "null")
    monkeypatch.setenv("BRIGHTROOM_SERVICES__OCR__OPTIONS__MIN_LETTERS", "3")
    monkeypatch.setenv("BRIGHTROOM_SCAN__SKIP", '["a", "b"]')

    settings = load_settings(CONFIGS / "embedded.yaml")

    assert settings.scan.batch_size == 7
    assert settings.scan.skip == ["a", "b"]
    assert settings.models["ocr"].options == {"min_score": 0.8, "min_letters": 3}
    assert settings.services["tags"] is None
    assert "tags" not in settings.revisions


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BRIGHTROOM_SCAN__FOO", "1", "BRIGHTROOM_SCAN__FOO: scan.foo: there is no such setting"),
        ("BRIGHTROOM_SACN__BATCH_SIZE", "1", "there is no setting sacn"),
        ("BRIGHTROOM_API__PORT", "many", "BRIGHTROOM_API__PORT: api.port"),
        ("BRIGHTROOM_API__ALLOWED_HOSTS", "localhost", "BRIGHTROOM_API__ALLOWED_HOSTS is no JSON"),
        ("BRIGHTROOM_SCAN__SKIP", "[oops", "BRIGHTROOM_SCAN__SKIP is no JSON"),
        ("BRIGHTROOM_SERVICES", "{oops", "BRIGHTROOM_SERVICES is no JSON"),
        ("BRIGHTROOM_STORE__FRESH_S", "inf", "store.fresh_s: Input should be a finite number"),
        ("BRIGHTROOM_GPU_MEMORY_GB", "nan", "gpu_memory_gb: Input should be a finite number"),
        ("BRIGHTROOM_SERVICES__CLIP_EMBEDDINGS__GPUS", "1.5", "services.clip_embeddings.gpus"),
        ("BRIGHTROOM_SERVICES__TAGS__GPUS", "0.9", "tags 0.9"),
        ("BRIGHTROOM_SERVICES__TAGS__DEVICE", "gpu", "BRIGHTROOM_SERVICES__TAGS__DEVICE: services.tags.device"),
        ("BRIGHTROOM_SERVICES__TAGS__OPTIONS__MIN_SCORE", "high", "services.tags.options.min_score"),
        ("BRIGHTROOM_WEIGHTS", "/no/such/folder", "weights: /no/such/folder"),
        ("BRIGHTROOM_ROOT", "", "root: an empty path"),
        ("BRIGHTROOM_ROOT", "/proc/nope", "root: /proc/nope cannot be created"),
        ("BRIGHTROOM_ROOT", "~nobody-of-this-name/x", "root: ~nobody-of-this-name/x cannot be worked out"),
        ("BRIGHTROOM_RAY__TEMP_DIR", "/no/such/folder", "ray.temp_dir: /no/such"),
        ("BRIGHTROOM_NEXTCLOUD__ALLOWED_NETWORKS", '["192.168.1.5/24"]', "this is no network and no host name"),
        ("BRIGHTROOM_NEXTCLOUD__ALLOWED_NETWORKS", '["https://cloud.example"]', "this is no network and no host name"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str):
    """Unknown keys, bad values, no JSON where there should be, shares that do not fit and missing paths."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(CONFIGS / "embedded.yaml")


def tags(spec: str, kind: str = "zero-shot-tags") -> str:
    """A file with one service."""
    return f"services: {{tags: {{kind: {kind}, {spec}}}}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scan: {batch_size: 0}", "scan.batch_size"),
        ("scan: {watch: on}", "scan.watch"),
        ("scan: {schedule: at noon}", "scan.schedule: this is no time as cron has it"),
        ('scan: {schedule: "0 0 31 2 *"}', "scan.schedule: this is no time as cron has it"),
        ('scan: {schedule: "0 30 3 * * *"}', "scan.schedule: this is no time as cron has it"),
        ("services: {faces: null}", "services.faces: there is no such service"),
        (tags("colour: red"), "services.tags.colour: there is no such setting"),
        (tags("cpus: 1", "ocr"), "services.tags.kind: ocr does not do this work; choose imagenet-tags or zero-shot-"),
        (tags("cpus: 1", "zero-shot"), "services.tags.kind: there is no model of kind zero-shot; there are .*clip"),
        (tags("device: gpu"), "services.tags.device: there is no device gpu; there are auto, cpu, cuda"),
        (tags("device: cuda"), "services.tags.device: cuda needs a share of a GPU"),
        (tags("min_replicas: 3"), "services.tags.min_replicas: 3 is more than the 1 of max_replicas"),
        (tags("gpu_memory_gb: 500"), "services.tags.gpu_memory_gb: 500 GB is more than its share"),
        (tags("gpus: .nan"), "services.tags.gpus"),
        (tags("options: {min_score: high}"), "services.tags.options.min_score: Input should be a valid number"),
        (tags("options: {min_score: 2}"), "services.tags.options.min_score"),
        (tags("options: {min_score: .nan}"), "services.tags.options.min_score"),
        (tags("options: {min_scor: 0.2}"), "services.tags.options.min_scor: the kind .* has no such option; .*prompts"),
        (tags("options: {prompts: a photo}"), "services.tags.options.prompts"),
        (tags("options: {prompts: [a photo]}"), "services.tags.options.prompts.0"),
        (tags("options: {min_score: 0.2}", "template"), "options.min_score: .*there are none"),
        ("services: {exif: {kind: exif, options: {media: {child: [-c]}}}}", "services.exif.options.media: .*are none"),
        (tags("gpus: 0.33333"), "services.tags.gpus: 0.33333 is finer than the ten-thousandths"),
        (tags("batch_size: 3000000000"), "services.tags.batch_size: .*less than or equal to 4096"),
        (
            "gpus_per_node: 1\nservices: {tags: {kind: imagenet-tags, gpus: 0.6}, ocr: {kind: ocr, gpus: 0.6}}",
            "services.*.gpus: tags 0.6 . ocr 0.6 = 1.2",
        ),
        (
            "gpus_per_node: 2\n" + tags("gpus: 0.6, max_replicas: 3"),
            r"services\.\*\.gpus: tags 3 x 0\.6 do not fit on 2 GPUs: .* tags asks for 0\.6 where 2 x 0\.4 is left",
        ),
        (
            "gpus_per_node: 2\nscan: {inference: actors}\n"
            "services: {tags: {kind: imagenet-tags, gpus: 0.6}, llm: {kind: llm, gpus: 0.6}}",
            r"tags 0\.6 \+ llm 0\.6 \+ scan's own tags 0\.6 do not fit on 2 GPUs",
        ),
        (
            "gpus_per_node: 1\ngpu_memory_gb: 10\n" + tags("gpus: 0.5, gpu_memory_gb: 6"),
            "services.tags.gpu_memory_gb: 6 GB is more than its share",
        ),
        ("a: [", "line 1"),
        ("a: 2024-13-45", "month"),
        ("hello", "no tree of settings"),
        ("[scan]", "no tree of settings"),
        ("1: scan", "no tree of settings"),
        ("scan:\n  batch_size: 1\n  batch_size: 2", "line 3: the key batch_size stands there twice"),
        ("gpus_per_node: 1\ngpus_per_node: 2", "line 2: the key gpus_per_node stands there twice"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, said: str):
    """The sentence has the file and the key."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=said) as told:
        load_settings(file)
    assert "mine.yaml: " in str(told.value)


def test_off_is_a_word_and_a_schedule_a_text(tmp_path: Path):
    """Whatever YAML makes of it."""
    file = tmp_path / "mine.yaml"
    file.write_text("scan:\n  watch: off\n  schedule: 30 3 * * *\n")

    scan = load_settings(file).scan

    assert (scan.watch, scan.schedule) == ("off", "30 3 * * *")


def test_a_missing_file_is_named(tmp_path: Path):
    """The variable that names it is in the sentence."""
    with pytest.raises(SettingsError, match="BRIGHTROOM_CONFIG"):
        load_settings(tmp_path / "none.yaml")


def test_a_file_in_another_encoding_is_named(tmp_path: Path):
    """Settings are UTF-8."""
    file = tmp_path / "mine.yaml"
    file.write_bytes("root: /home/Jürgen".encode("latin-1"))

    with pytest.raises(SettingsError, match=r"mine\.yaml: .* UTF-8"):
        load_settings(file)


def test_an_empty_file_and_a_merged_key_are_fine(tmp_path: Path):
    """Nothing written is the defaults; YAML's own way of changing a copied mapping is no key written twice."""
    file = tmp_path / "mine.yaml"
    for text in ("", "services:\n  exif: &a {kind: exif, cpus: 1}\n  thumbnail: {<<: *a, kind: thumbnail}"):
        file.write_text(text)
        settings = load_settings(file)
        assert {name: (spec.kind, spec.cpus) for name, spec in settings.models.items()} == (
            {"exif": ("exif", 1), "thumbnail": ("thumbnail", 1)} if text else {}
        )


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ("checkpoint: {here}/none", "checkpoint"),
        ("checkpoint: 'local-dir:{here}/none'", "checkpoint"),
        ("checkpoint: 'facenet:{here}/none.pt'", "checkpoint"),
        ("checkpoint: ~/no/such/folder", "checkpoint"),
        ("options: {{vocabulary: {here}/none.txt}}", "options.vocabulary"),
    ],
)
def test_a_path_of_a_model_where_nothing_is_is_named(tmp_path: Path, spec: str, key: str):
    """Before a replica looks for it; what is there, or is fetched or composed later, is let through."""
    file = tmp_path / "mine.yaml"
    file.write_text(tags(spec.format(here=tmp_path)))
    with pytest.raises(SettingsError, match=rf"services\.tags\.{key}: there is no"):
        load_settings(file)

    for checkpoint in (f"local-dir:{tmp_path}", str(tmp_path), "facenet:vggface2", "embedded:none", "owner/name"):
        file.write_text(tags(f"checkpoint: '{checkpoint}'"))
        assert load_settings(file).models["tags"].checkpoint == checkpoint


def test_a_root_that_cannot_be_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file, or below one; a root that can be made is not made by looking."""
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("BRIGHTROOM_ROOT", str(root))
        with pytest.raises(SettingsError, match=rf"root: {tmp_path}/file is a file"):
            load_settings()

    monkeypatch.setenv("BRIGHTROOM_ROOT", str(tmp_path / "new" / "root"))
    assert load_settings().root == tmp_path / "new" / "root"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_rays_scratch_folder_is_made_in_a_folder_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It may be new; it may be no file."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("BRIGHTROOM_RAY__TEMP_DIR", str(tmp_path / "ray"))
    assert load_settings().ray.temp_dir == tmp_path / "ray"

    monkeypatch.setenv("BRIGHTROOM_RAY__TEMP_DIR", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match=r"ray\.temp_dir: .*file is no folder"):
        load_settings()


def test_a_scans_own_actors_need_their_shares_beside_the_services(monkeypatch: pytest.MonkeyPatch):
    """Both hold GPUs while it runs: what fits with `serve` need not fit with `actors`, and who asks is said."""
    monkeypatch.setenv("BRIGHTROOM_GPUS_PER_NODE", "1")
    with pytest.raises(SettingsError, match=r"tags 0\.15 .* \+ scan's own tags 0\.15 .* = 1\.5 is more than the 1"):
        load_settings(CONFIGS / "cluster.yaml")

    monkeypatch.setenv("BRIGHTROOM_SCAN__INFERENCE", "serve")
    assert load_settings(CONFIGS / "cluster.yaml").gpus_per_node == 1


def test_shares_that_fill_a_gpu_exactly_fit(tmp_path: Path):
    """Hundredths do not add up exactly in binary."""
    file = tmp_path / "mine.yaml"
    asked = {"tags": (0.34, 4.08), "ocr": (0.56, 6.72), "llm": (0.1, 1.2)}
    specs = [
        f"{name}: {{kind: {KINDS_OF[name][-1]}, gpus: {share}, gpu_memory_gb: {gb}}}"
        for name, (share, gb) in asked.items()
    ]
    file.write_text(f"gpus_per_node: 1\ngpu_memory_gb: 12\nservices: {{{', '.join(specs)}}}")
    assert sum(spec.gpus for spec in load_settings(file).models.values()) > 1

    file.write_text(
        "gpus_per_node: 1\ngpu_memory_gb: 24\nservices: {tags: {kind: imagenet-tags, gpus: 0.3, gpu_memory_gb: 7.2}}"
    )
    assert load_settings(file).models["tags"].gpu_memory_gb > 0.3 * 24


def test_the_kinds_and_options_of_the_settings_are_those_of_the_models():
    """Every kind has a class, and its docstring names the options that the settings let through."""
    assert set(OPTIONS) == set(KINDS)
    for kind, place in KINDS.items():
        assert options_told(*place.split(":")) == set(OPTIONS[kind]), kind


def options_told(module: str, name: str) -> set[str]:
    """What the docstring of a class calls its options; read, not imported, because the classes need torch."""
    found = find_spec(module)
    assert found
    assert found.origin
    classes = [node for node in ast.parse(Path(found.origin).read_text("utf8")).body if isinstance(node, ast.ClassDef)]
    docstring = next(ast.get_docstring(node) or "" for node in classes if node.name == name)
    return set(re.findall(r"`(\w+)`", docstring.partition("Options:")[2]))
