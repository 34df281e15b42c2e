"""One tree of settings: a YAML file, then `BRIGHTROOM_*` environment variables on top (`__` for depth). Pure data.

Read in three places only - `api/cli.py`, `batch/__main__.py` and the tests - and handed on from there.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from cluster import places
from cluster.branches import (
    ApiSettings,
    Folder,
    MediaSettings,
    NextcloudSettings,
    Part,
    RaySettings,
    ScanSettings,
    StoreSettings,
)
from cluster.errors import SettingsError
from cluster.origins import Origins, leaves, variable_of
from cluster.shares import Demand, refusal
from cluster.sources import Variables, document, first_fault, giver, known_variables
from cluster.specs import KINDS_OF, ModelSpec, checked

__all__ = [
    "CONFIGS", "CONFIG_VARIABLE", "KEYS_VARIABLE", "PREFIX", "SERVICES", "SERVICE_OF",
    "ApiSettings", "MediaSettings", "ModelSpec", "NextcloudSettings", "Part", "RaySettings", "ScanSettings", "Settings",
    "StoreSettings", "load_settings",
]  # fmt: skip

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
PREFIX = "BRIGHTROOM_"
CONFIG_VARIABLE = "BRIGHTROOM_CONFIG"  # which file; no setting itself
KEYS_VARIABLE = "BRIGHTROOM_NEXTCLOUD_KEYS"  # a secret, and so no setting: settings travel (cluster/sealing.py)
ADDRESS_VARIABLE = "RAY_ADDRESS"  # Ray's own, and the setting ray.address where nothing else says any

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

    root: Folder = Field(Path("~/.local/share/brightroom"), description="the folder everything is kept in")
    weights: Folder | None = Field(None, description="where composed checkpoints are kept; none: weights/ in the root")
    gpus_per_node: int = Field(0, ge=0, description="GPUs that the services' shares are checked against")
    gpu_memory_gb: float = Field(0, ge=0, description="memory of each of them")
    store: StoreSettings = StoreSettings()
    ray: RaySettings = RaySettings()
    api: ApiSettings = ApiSettings()
    media: MediaSettings = MediaSettings()
    scan: ScanSettings = ScanSettings()
    nextcloud: NextcloudSettings = NextcloudSettings()
    services: dict[str, ModelSpec | None] = Field({}, description="a model for each service; null: not configured")
    _origins: Origins = PrivateAttr(default_factory=Origins)

    @field_validator("services")
    @classmethod
    def known_services(cls, services: dict[str, ModelSpec | None]) -> dict[str, ModelSpec | None]:
        """Refuse services nobody knows, and models that cannot be meant."""
        if unknown := sorted(set(services) - set(SERVICES)):
            raise ValueError(f"{unknown[0]}: there is no such service; there are {', '.join(SERVICES)}")
        return {name: spec and keyed(name, spec) for name, spec in services.items()}

    @model_validator(mode="after")
    def shares_fit(self) -> Self:
        """Refuse shares of GPUs that cannot all be placed, and a replica's memory that is over its share of a GPU's."""
        if refused := refusal(self.gpu_demands, self.gpus_per_node):
            raise ValueError(f"services.*.gpus: {refused}")
        for name, spec in self.models.items():
            if spec.gpu_memory_gb > round(spec.gpus * self.gpu_memory_gb, 4):
                share = f"{spec.gpu_memory_gb:g} GB is more than its share ({spec.gpus:g} of {self.gpu_memory_gb:g} GB)"
                raise ValueError(f"services.{name}.gpu_memory_gb: {share}; lower it or raise services.{name}.gpus")
        return self

    @property
    def origins(self) -> Origins:
        """Who gave which of them; nobody any where they were not read."""
        return self._origins

    @property
    def models(self) -> dict[str, ModelSpec]:
        """The services that are configured."""
        return {name: spec for name, spec in self.services.items() if spec}

    @property
    def gpu_demands(self) -> list[Demand]:
        """Who may ask for how much of the GPUs at the same time: services and, beside them, a scan's own actors."""
        services = [Demand(name, spec.gpus, spec.max_replicas) for name, spec in self.models.items() if spec.gpus]
        if self.scan.inference == "serve":
            return services
        own = set(SERVICE_OF.values())
        actors = [Demand(f"scan's own {one.who}", one.share, one.replicas) for one in services if one.who in own]
        return [*services, *actors]

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


def keyed(name: str, spec: ModelSpec) -> ModelSpec:
    """The checked spec of a service; raises ValueError beginning with the service."""
    try:
        checked_spec = checked(spec)
    except ValueError as error:
        raise ValueError(f"{name}.{error}") from None
    if spec.kind not in KINDS_OF[name]:
        raise ValueError(f"{name}.kind: {spec.kind} does not do this work; choose {' or '.join(KINDS_OF[name])}")
    return checked_spec


def load_settings(path: Path | None = None) -> Settings:
    """The settings of a YAML file (default: `BRIGHTROOM_CONFIG`, else configs/embedded.yaml) and the environment.

    Raises SettingsError naming the key.
    """
    file = path or Path(os.environ.get(CONFIG_VARIABLE) or CONFIGS / "embedded.yaml")
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file; name an existing one in {CONFIG_VARIABLE}")
    known_variables(PREFIX, Settings.model_fields, (CONFIG_VARIABLE, KEYS_VARIABLE))
    try:
        settings = Settings.model_validate(sources(file)().model_dump())
    except ValidationError as error:
        fault = first_fault(error)
        raise SettingsError(f"{giver(fault, PREFIX, file)}: {fault}") from None
    found = located(settings)
    found._origins = origins(file)
    return found


def origins(file: Path) -> Origins:
    """Who gives which settings, as they are read now; a later giver goes over an earlier one."""
    by_variable = {key: variable_of(key, PREFIX) for key in leaves(Variables(sources(file))())}
    by_file = dict.fromkeys(leaves(document(file)), str(file))
    by_ray = dict.fromkeys(leaves(joined()), ADDRESS_VARIABLE)
    return Origins(str(file), {**by_ray, **by_file, **by_variable}, {KEYS_VARIABLE: KEYS_VARIABLE in os.environ})


def sources(file: Path) -> type[BaseSettings]:
    """The tree as a class that fills itself from the environment and, below it, from a YAML file, then from Ray's."""

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
            files = InitSettingsSource(settings_cls, document(file)), InitSettingsSource(settings_cls, joined())
            return Variables(settings_cls), *files

    return Sources


def joined() -> dict[str, Any]:
    """What Ray's own variable says of the cluster to join; raises SettingsError naming it."""
    address = os.environ.get(ADDRESS_VARIABLE)
    if not address:
        return {}
    try:
        return {"ray": RaySettings(address=address).model_dump(include={"address"})}
    except ValidationError as error:
        raise SettingsError(f"{ADDRESS_VARIABLE}: {first_fault(error).partition(': ')[2]}") from None


def located(settings: Settings) -> Settings:
    """The settings with their paths worked out; raises SettingsError naming the key of one that leads nowhere."""
    for name, spec in settings.models.items():
        places.checkpoint(f"services.{name}.checkpoint", spec.checkpoint)
        places.vocabulary(f"services.{name}.options.vocabulary", spec.options)
    paths: dict[str, Any] = {"root": places.writable_folder("root", settings.root)}
    if settings.weights:
        paths["weights"] = places.folder("weights", settings.weights)
    if settings.ray.temp_dir:
        scratch = places.folder_to_make("ray.temp_dir", settings.ray.temp_dir)
        paths["ray"] = settings.ray.model_copy(update={"temp_dir": scratch})
    if settings.nextcloud.key_file:
        key_file = places.worked_out("nextcloud.key_file", settings.nextcloud.key_file)
        paths["nextcloud"] = settings.nextcloud.model_copy(update={"key_file": key_file})
    return settings.model_copy(update=paths)
