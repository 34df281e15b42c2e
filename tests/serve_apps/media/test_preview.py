"""Previews read back are small sRGB arrays, or one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cluster.errors import Unreadable
from serve_apps.media.preview import read_preview


def test_a_preview_comes_at_the_size_asked_for(tmp_path: Path, jpeg_bytes: Any, photo: Any, far_apart: Any) -> None:
    """Wide and tall, down to what was asked and never up."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes(np.asarray(Image.fromarray(photo).resize((1440, 960)))))
    assert read_preview(path, 720).shape == (480, 720, 3)
    assert far_apart(read_preview(path, 360), photo) < 8
    assert read_preview(path, 5000).shape == (960, 1440, 3)
    path.write_bytes(jpeg_bytes(np.asarray(Image.fromarray(photo).resize((960, 1440)))))
    assert read_preview(path, 700).shape == (700, 467, 3)


def test_a_missing_or_damaged_preview_says_how_to_get_a_new_one(tmp_path: Path, jpeg_bytes: Any) -> None:
    """The answer is a rescan."""
    with pytest.raises(Unreadable, match=r"No such file.*rescan it"):
        read_preview(tmp_path / "none.jpg", 720)
    for data in (b"", jpeg_bytes()[:5000]):
        (tmp_path / "cut.jpg").write_bytes(data)
        with pytest.raises(Unreadable, match="damaged; rescan it"):
            read_preview(tmp_path / "cut.jpg", 720)
