"""`load`: from a spec to a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import SettingsError, Unavailable
from cluster.settings import ModelSpec
from serve_apps.models import load
from serve_apps.models.captions import TemplateCaptioner


def test_a_spec_becomes_the_model_of_its_kind(tmp_path: Path) -> None:
    """The kind alone chooses the class."""
    model = load(ModelSpec(kind="template"), tmp_path)

    assert isinstance(model, TemplateCaptioner)


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A slip in the settings is answered with what could have been meant."""
    with pytest.raises(SettingsError, match=r"no model of kind clop; there are .*clip"):
        load(ModelSpec(kind="clop"), tmp_path)


@pytest.mark.parametrize("kind", ["clip", "faces", "imagenet-tags", "zero-shot-tags", "blip"])
def test_a_checkpoint_that_is_not_there_is_said_so(kind: str, tmp_path: Path) -> None:
    """The error names the checkpoint and what to do, whichever kind asks."""
    with pytest.raises(Unavailable, match=r"embedded:none is not composed: .*; run `brightroom up` once"):
        load(ModelSpec(kind=kind, checkpoint="embedded:none"), tmp_path)


def test_models_without_networks_do_not_import_torch() -> None:
    """A replica that reads text or fills in a template does not pay half a gigabyte for torch."""
    script = (
        "import sys; from pathlib import Path; from cluster.settings import ModelSpec;"
        "from serve_apps.models import load;"
        "load(ModelSpec(kind='template'), Path('.')); load(ModelSpec(kind='ocr'), Path('.'));"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
