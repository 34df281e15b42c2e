"""What is asked of a model: its spec, and what each kind of model may be told. Leaves out which service it is for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model

from cluster.branches import Part
from cluster.sources import first_fault

Score = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Prompt = Annotated[str, Field(pattern=r"^[^{}]*\{\}[^{}]*$")]  # {} is where the word goes
Prompts = Annotated[list[Prompt], Field(min_length=1)]


class ModelSpec(Part):
    """All that is needed to load a model anywhere. The spec travels; the model does not."""

    kind: str = Field(description="which wrapper: one of the kinds listed below the settings")
    checkpoint: str = Field("", description="hub id, local directory, or embedded:NAME")
    revision: str = Field("main", description="hub revision; part of the ledger, so a new one is new work")
    dtype: Literal["float32", "float16", "bfloat16"] = Field("float32", description="precision on CUDA (autocast)")
    device: str = Field("auto", description="auto, cpu or cuda")
    batch_size: int = Field(32, ge=1, le=4096, description="largest batch the model is given")
    cpus: float = Field(1, ge=0, le=1024, description="torch threads of a replica")
    gpus: float = Field(0, ge=0, le=1, description="share of one GPU a replica is placed with")
    gpu_memory_gb: float = Field(0, ge=0, le=10_000, description="GPU memory a replica may take")
    min_replicas: int = Field(1, ge=0, le=1000, description="replicas kept; 0: none while nobody asks")
    idle_s: float = Field(
        600, gt=0, le=31_536_000, description="seconds without a call until the last replica goes, if none is kept"
    )
    max_replicas: int = Field(1, ge=1, le=1000, description="replicas at most")
    options: dict[str, Any] = Field({}, description="what only this kind of model knows")

    @property
    def name(self) -> str:
        """What the ledger and the vectors' table are named after: checkpoint and revision."""
        return f"{self.checkpoint or self.kind}@{self.revision}"


# What each kind of model may be told in `options`, and the type of it; the defaults are the models'. A kind that is not
# here does not exist: serve_apps/models/__init__.py has the class of each.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "clip": {},
    "faces": {"min_score": Score, "min_face_px": Count},
    "imagenet-tags": {"min_score": Score, "max_tags": Count},
    "zero-shot-tags": {"vocabulary": str, "prompts": Prompts, "min_score": Score, "max_tags": Count},
    "template": {},
    "blip": {"max_new_tokens": Count, "num_beams": Count},
    "llm": {"max_new_tokens": Count},
    "ocr": {"min_score": Score, "min_letters": Count, "longest_px": Count},
    "similarity": {},
    "thumbnail": {},  # the limits of untrusted bytes, and the program that reads them, are the settings' alone
    "exif": {},
}
KINDS_OF: Mapping[str, tuple[str, ...]] = {  # the kinds that do a service's work
    "image_similarity": ("similarity",),
    "thumbnail": ("thumbnail",),
    "face_recognition": ("faces",),
    "clip_embeddings": ("clip",),
    "llm": ("llm",),
    "image_captioning": ("template", "blip"),
    "exif": ("exif",),
    "tags": ("imagenet-tags", "zero-shot-tags"),
    "ocr": ("ocr",),
}
DEVICES = ("auto", "cpu", "cuda")


def checked(spec: ModelSpec) -> ModelSpec:
    """The spec with its options in their types; raises ValueError beginning with the key when it cannot be meant."""
    for name, text in {**spec.model_dump(exclude={"options"}), **prefixed(spec.options)}.items():
        if isinstance(text, str) and "://" in text:  # the text is not told: it may hold a password
            raise ValueError(f"{name}: an address cannot stand here; name OWNER/NAME of the hub, or a local folder")
    if spec.kind not in OPTIONS:
        raise ValueError(f"kind: there is no model of kind {spec.kind}; there are {', '.join(OPTIONS)}")
    if spec.device not in DEVICES:
        raise ValueError(f"device: there is no device {spec.device}; there are {', '.join(DEVICES)}")
    if spec.device == "cuda" and not spec.gpus:
        raise ValueError("device: cuda needs a share of a GPU; set gpus above 0, or device to auto")
    if spec.gpus != round(spec.gpus, 4):
        raise ValueError(f"gpus: {spec.gpus:g} is finer than the ten-thousandths of a GPU that Ray counts in; round it")
    if spec.min_replicas > spec.max_replicas:
        raise ValueError(f"min_replicas: {spec.min_replicas} is more than the {spec.max_replicas} of max_replicas")
    return spec.model_copy(update={"options": checked_options(spec)})


def prefixed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the keys they have in a spec."""
    return {f"options.{name}": value for name, value in options.items()}


def checked_options(spec: ModelSpec) -> dict[str, Any]:
    """A spec's options in their types; raises ValueError beginning with the key for one that its kind does not have."""
    known = OPTIONS[spec.kind]
    if unknown := sorted(set(spec.options) - set(known)):
        there = f"there are {', '.join(known)}" if known else "there are none"
        raise ValueError(f"options.{unknown[0]}: the kind {spec.kind} has no such option; {there}")
    fields: dict[str, Any] = {name: (kind, None) for name, kind in known.items()}
    table = create_model("Options", __base__=Part, **fields)
    try:
        return table.model_validate(spec.options).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise ValueError(f"options.{first_fault(error)}") from None
