"""One tree of settings: a YAML file, then `BRIGHTROOM_*` environment variables on top (`__` for depth). Pure data.

Read in three places only - `api/cli.py`, `batch/__main__.py` and the tests - and handed on from there.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource
from pydantic_settings import SettingsError as SourceError

from cluster.errors import SettingsError

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
PREFIX = "BRIGHTROOM_"
CONFIG_VARIABLE = "BRIGHTROOM_CONFIG"  # which file; the only variable that is no setting itself


class Part(BaseModel):
    """A branch of the tree: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(Part):
    """Where photos' records and derived pictures are kept, and how often the writer tidies up."""

    optimize_every: int = Field(20, ge=1, description="commits between two compactions of a table")
    keep_versions_s: float = Field(3600, ge=0, description="old table versions younger than this are kept")
    fresh_s: float = Field(1.0, ge=0, description="a reader sees other processes' commits at most this late")


class RaySettings(Part):
    """How to reach Ray, or how to start a head of our own."""

    address: str | None = Field(None, description="an existing cluster's GCS address; none starts a head here")
    port: int = Field(0, ge=0, le=65535, description="GCS port of a head started here; 0 takes a free one")
    dashboard_port: int = Field(0, ge=0, le=65535, description="dashboard port, on loopback; 0 takes a free one")
    dashboard: str | None = Field(None, description="an existing cluster's dashboard, for jobs: http://host:8265")
    namespace: str = Field("brightroom", description="Ray namespace of our actors")
    num_cpus: int | None = Field(None, ge=2, description="logical CPUs of a head started here; none lets Ray look")
    num_gpus: int | None = Field(None, ge=0, description="GPUs of a head started here; none lets Ray look")
    object_store_mb: int = Field(500, ge=80, description="shared memory for batches on their way")
    temp_dir: Path | None = Field(None, description="Ray's scratch folder; short, sockets live in it")
    start_timeout_s: float = Field(90, gt=0, description="how long a head may take to answer")


class ApiSettings(Part):
    """The HTTP server and what guards its door."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    allowed_hosts: list[str] = Field(["localhost", "127.0.0.1"], description="Host headers answered, exact")
    trusted_proxies: list[str] = Field([], description="peers whose X-Forwarded-For is believed")
    secure_cookies: bool = Field(False, description="session cookies only over https; on behind TLS")
    session_days: float = Field(30, gt=0, description="a session ends after this long without use")
    login_attempts: int = Field(5, ge=1, description="failed logins before an account or address must wait")
    page_size: int = Field(100, ge=1, le=500, description="rows of a page when a request does not say")


class MediaSettings(Part):
    """Sizes of derived pictures, and the limits under which untrusted bytes are decoded."""

    preview_px: int = Field(1440, ge=256, le=8192, description="longest side of the preview")
    big_px: int = Field(500, ge=64, description="longest side of the big thumbnail")
    square_px: int = Field(250, ge=32, description="side of the square thumbnail")
    small_px: int = Field(120, ge=16, description="longest side of the small thumbnail")
    quality: int = Field(80, ge=1, le=100, description="JPEG and WebP quality of derived pictures")
    max_pixels: int = Field(250_000_000, ge=1, description="a picture with more pixels is refused from its header")
    max_file_mb: int = Field(2048, ge=1, description="a picture file over this is refused; videos are streamed")
    memory_mb: int = Field(1536, ge=256, description="address space of the decode child")
    wall_s: float = Field(30, gt=0, description="seconds a file may take before its child is killed")
    cpu_s: int = Field(30, ge=1, description="CPU seconds a file may take")
    recycle_after: int = Field(500, ge=1, description="files after which a child is replaced")
    child: tuple[str, ...] = Field(
        ("-m", "serve_apps.media.child"), description="the decode child's program, as Python's arguments"
    )


class ScanSettings(Part):
    """How a scan walks, splits and computes."""

    inference: Literal["serve", "actors"] = Field("serve", description="models in Serve replicas, or in own actors")
    skip: list[str] = Field(
        [".*", "@eaDir", "#recycle", "Thumbs.db", "*.tmp", "*.part"],
        description="globs: a file or folder whose name, or path below the root, matches is left out",
    )
    chunk_files: int = Field(2000, ge=1, description="files listed before their changes are ingested")
    chunk_photos: int = Field(2000, ge=1, description="photos analysed between two looks at pause and cancel")
    batch_size: int = Field(16, ge=1, description="photos read, computed and committed together")
    ingest_workers: int = Field(0, ge=0, description="decode children at work at once; 0: as many as there are CPUs")
    analyse_workers: int = Field(0, ge=0, description="batches in flight through models; 0: one a CPU, at most 8")
    analysis_px: int = Field(720, ge=224, description="longest side of what the models see")
    call_timeout_s: float = Field(300, gt=0, description="deadline of one batch at one model")
    vanish_share: float = Field(
        0.2, ge=0, le=1, description="when more than this share of known files is gone at once, none is marked missing"
    )


class ModelSpec(Part):
    """All that is needed to load a model anywhere. The spec travels; the model does not."""

    kind: str = Field(description="which wrapper: clip, faces, imagenet-tags, zero-shot-tags, template, blip, ...")
    checkpoint: str = Field("", description="hub id, local directory, or embedded:NAME")
    revision: str = Field("main", description="hub revision; part of the ledger, so a new one is new work")
    dtype: Literal["float32", "float16", "bfloat16"] = Field("float32", description="precision on CUDA (autocast)")
    device: str = Field("auto", description="auto, cpu or cuda")
    batch_size: int = Field(32, ge=1, description="largest batch the model is given")
    cpus: float = Field(1, ge=0, description="torch threads of a replica")
    gpus: float = Field(0, ge=0, le=1, description="share of one GPU a replica is placed with")
    gpu_memory_gb: float = Field(0, ge=0, description="GPU memory a replica may take")
    min_replicas: int = Field(1, ge=0, description="replicas kept")
    max_replicas: int = Field(1, ge=1, description="replicas at most")
    options: dict[str, Any] = Field({}, description="what only this kind of model knows")

    @property
    def name(self) -> str:
        """What the ledger and the vectors' table are named after: checkpoint and revision."""
        return f"{self.checkpoint or self.kind}@{self.revision}"


SERVICES = (
    "image_similarity", "thumbnail", "face_recognition", "clip_embeddings",
    "llm", "image_captioning", "exif", "tags", "ocr",
)  # fmt: skip


SERVICE_OF = {  # the ledger's stages after ingest, and the service that does each
    "clip": "clip_embeddings",
    "faces": "face_recognition",
    "tags": "tags",
    "ocr": "ocr",
    "caption": "image_captioning",
}


class Settings(Part):
    """The whole tree."""

    root: Path = Field(Path("~/.local/share/brightroom"), description="the folder everything is kept in")
    weights: Path | None = Field(None, description="where composed checkpoints are kept; none: weights/ in the root")
    gpus_per_node: int = Field(0, ge=0, description="GPUs that the services' shares are checked against")
    gpu_memory_gb: float = Field(0, ge=0, description="memory of each of them")
    store: StoreSettings = StoreSettings()
    ray: RaySettings = RaySettings()
    api: ApiSettings = ApiSettings()
    media: MediaSettings = MediaSettings()
    scan: ScanSettings = ScanSettings()
    services: dict[str, ModelSpec | None] = Field({}, description="a model for each service; null: not configured")

    @model_validator(mode="after")
    def known_services(self) -> Self:
        """Refuse services nobody knows."""
        if unknown := sorted(set(self.services) - set(SERVICES)):
            raise ValueError(f"services.{unknown[0]}: there is no such service; there are {', '.join(SERVICES)}")
        return self

    @model_validator(mode="after")
    def shares_fit(self) -> Self:
        """Refuse shares of GPU and GPU memory that add up to more than there is."""
        specs = {name: spec for name, spec in self.services.items() if spec and spec.gpus}
        asked = {name: spec.gpus * spec.max_replicas for name, spec in specs.items()}
        if sum(asked.values()) > self.gpus_per_node:
            raise ValueError(f"services.*.gpus: {told(asked)} is more than the {self.gpus_per_node} of gpus_per_node")
        for name, spec in specs.items():
            if spec.gpu_memory_gb > spec.gpus * self.gpu_memory_gb:
                share = f"{spec.gpu_memory_gb:g} GB is more than its share ({spec.gpus:g} of {self.gpu_memory_gb:g} GB)"
                raise ValueError(f"services.{name}.gpu_memory_gb: {share}")
        return self

    @property
    def revisions(self) -> dict[str, str]:
        """What the ledger is to say of each stage that has a model: stage -> model's name."""
        specs = {stage: self.services.get(service) for stage, service in SERVICE_OF.items()}
        return {stage: spec.name for stage, spec in specs.items() if spec}

    @property
    def store_uri(self) -> str:
        """Where the databases are."""
        return str(self.root / "store")

    @property
    def derived(self) -> Path:
        """Where previews and thumbnails are."""
        return self.root / "derived"

    @property
    def weights_dir(self) -> Path:
        """Where composed checkpoints are."""
        return self.weights or self.root / "weights"


def told(asked: dict[str, float]) -> str:
    """Who asks for what, and the sum: `a 0.5 + b 0.75 = 1.25`."""
    parts = " + ".join(f"{name} {share:g}" for name, share in asked.items())
    return f"{parts} = {sum(asked.values()):g}"


def load_settings(path: Path | None = None) -> Settings:
    """The settings of a YAML file (default: `BRIGHTROOM_CONFIG`, else configs/embedded.yaml) and the environment.

    Raises SettingsError naming the key.
    """
    file = path or Path(os.environ.get(CONFIG_VARIABLE) or CONFIGS / "embedded.yaml")
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file; name an existing one in {CONFIG_VARIABLE}")
    known_variables()
    try:
        settings = Settings.model_validate(sources(file)().model_dump())
    except ValidationError as error:
        raise SettingsError(f"{file}: {first_fault(error)}") from None
    except (yaml.YAMLError, SourceError) as error:
        raise SettingsError(f"{file}: {error}") from None
    return settings.model_copy(update=absolute(settings))


def sources(file: Path) -> type[Settings]:
    """The tree as a class that fills itself from the environment and, below it, from a YAML file."""

    class Sources(BaseSettings, Settings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX, env_nested_delimiter="__", env_parse_none_str="null", extra="forbid", frozen=True
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=file)

    return Sources


def known_variables() -> None:
    """Refuse a `BRIGHTROOM_*` variable that sets nothing: a slip of the pen must not pass in silence."""
    for name in os.environ:
        branch = name.removeprefix(PREFIX).split("__")[0].lower()
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and branch not in Settings.model_fields:
            raise SettingsError(f"{name}: there is no setting {branch}; unset the variable or mend its name")


def absolute(settings: Settings) -> dict[str, Path]:
    """The paths of the settings with `~` and relative parts worked out."""
    paths = {"root": settings.root.expanduser().resolve()}
    if settings.weights:
        weights = settings.weights.expanduser().resolve()
        if not weights.is_dir():
            raise SettingsError(f"weights: {weights} is no folder; create it, or leave the key out")
        paths["weights"] = weights
    return paths


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's complaints as `key: what is wrong`."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key}: there is no such setting"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
