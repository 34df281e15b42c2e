"""Where derived pictures are kept: addressed by the content they show, so they never change and are made once.

Leaves out making them (derive.py) and reading them (preview.py).
"""

from pathlib import Path

EXTENSIONS = {"preview": "jpg", "big": "webp", "square": "webp", "small": "webp"}


def derived_path(folder: Path, content_id: str, size: str) -> Path:
    """Where a derived picture of a content is kept; sizes: preview, big, square, small."""
    return folder / content_id[:2] / f"{content_id}.{size}.{EXTENSIONS[size]}"


def is_there(path: Path) -> bool:
    """Whether a derived picture exists and is not an empty file that a power cut left."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def is_whole(folder: Path, content_id: str) -> bool:
    """Whether all derived pictures of a content are there."""
    return all(is_there(derived_path(folder, content_id, size)) for size in EXTENSIONS)
