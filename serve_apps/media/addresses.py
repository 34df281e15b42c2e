"""Where derived pictures are kept: addressed by the content they show, so they never change and are made once.

Leaves out making them (derive.py) and reading them (preview.py).
"""

from pathlib import Path

EXTENSIONS = {"preview": "jpg", "big": "webp", "square": "webp", "small": "webp"}


def derived_path(folder: Path, content_id: str, size: str) -> Path:
    """Where a derived picture of a content is kept; sizes: preview, big, square, small."""
    return folder / content_id[:2] / f"{content_id}.{size}.{EXTENSIONS[size]}"
