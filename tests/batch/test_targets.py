"""Which file of a photo is written into, where its files lie in different sources."""

from typing import Any

import pytest

from batch.inside import copies
from batch.targets import main_of
from cluster.errors import Unwritable
from cluster.store.files import FOLDER, NEXTCLOUD


def file(name: str, source: str, content: str = "c", state: str = "ok") -> dict[str, Any]:
    """A row of files."""
    path = f"{name}.jpg".encode()
    return {"file_id": name, "source": source, "path": path, "content_id": content, "state": state, "kind": "image"}


def test_of_a_photo_that_is_on_a_nextcloud_too_the_owners_own_file_is_written():
    """The first by name of those with the same bytes; nothing in the mirror, which the next scan would overwrite."""
    files = [file("a", NEXTCLOUD), file("c", FOLDER), file("b", FOLDER), file("d", FOLDER, "other")]

    main = main_of({"main_file_id": "a"}, files)

    assert main["file_id"] == "b"
    assert {one["file_id"] for one in copies(main, files)} == {"b", "c", "d"}


def test_a_photo_that_is_only_on_a_nextcloud_is_not_written():
    """The sentence says what to do instead."""
    with pytest.raises(Unwritable, match="copy it into your folder"):
        main_of({"main_file_id": "a"}, [file("a", NEXTCLOUD), file("b", FOLDER, state="missing")])
