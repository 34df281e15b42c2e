"""Models: arrays and words in, arrays and words out. No Ray in here, no photo rows, no untrusted bytes.

`load` is the one way in. A kind's module is imported only when that kind is asked for, so that a process pays
for torch only where a model needs it.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from cluster.errors import SettingsError
from cluster.settings import ModelSpec
from serve_apps.models.protocol import Model

KINDS = {  # what each may be told is in cluster/specs.py, where a kind that is not here is refused
    "clip": "serve_apps.models.clip:ClipModel",
    "faces": "serve_apps.models.faces:FaceModel",
    "imagenet-tags": "serve_apps.models.tags:ImageNetTags",
    "zero-shot-tags": "serve_apps.models.tags:ZeroShotTags",
    "template": "serve_apps.models.captions:TemplateCaptioner",
    "blip": "serve_apps.models.blip:BlipCaptioner",
    "llm": "serve_apps.models.llm:SentenceModel",
    "ocr": "serve_apps.models.ocr:OcrModel",
    "similarity": "serve_apps.models.similarity:SimilarityModel",
    "thumbnail": "serve_apps.models.media_models:ThumbnailModel",
    "exif": "serve_apps.models.media_models:ExifModel",
}


def load(spec: ModelSpec, weights: Path) -> Model[Any, Any]:
    """The loaded model of a spec; `weights` is the folder of composed and fetched checkpoints.

    Raises SettingsError when the spec cannot be meant, Unavailable when its checkpoint or device is not there.
    """
    if spec.kind not in KINDS:
        raise SettingsError(f"kind: there is no model of kind {spec.kind}; there are {', '.join(sorted(KINDS))}")
    module, name = KINDS[spec.kind].split(":")
    model: Model[Any, Any] = getattr(import_module(module), name)(spec, weights)
    return model
