"""The child has given up what it does not need before it sees a file."""

from collections.abc import Callable

import pytest

from cluster.errors import Unreadable
from serve_apps.media.box import Decoder


def test_the_child_has_given_up_its_powers(misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]) -> None:
    """Memory, file size, open files and core dumps are limited, no privileges can be gained, no terminal is held."""
    with pytest.raises(Unreadable) as told:
        misbehaving(memory_mb=512).decode(marked("powers"))
    limits = {"AS": 512 << 20, "FSIZE": 64 << 20, "CORE": 0, "NOFILE": 64}
    assert str(told.value) == f"{limits} privileges 1 streams {{'/dev/null'}} folder /"


def test_the_child_imports_nothing_heavy_before_it_must(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """Neither Ray nor torch nor LanceDB, and the video, RAW and HEIC libraries only with such a file."""
    with pytest.raises(Unreadable, match=r"^none$"):
        misbehaving().decode(marked("imports"))
