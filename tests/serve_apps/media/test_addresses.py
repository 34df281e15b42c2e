"""Derived pictures have one place each."""

from pathlib import Path

from serve_apps.media.addresses import derived_path


def test_a_derived_picture_lies_in_a_folder_named_after_its_first_letters() -> None:
    """Two letters make 256 folders; the size and its format are in the name."""
    content = "ab" + "0" * 30
    assert derived_path(Path("/d"), content, "preview") == Path(f"/d/ab/{content}.preview.jpg")
    assert derived_path(Path("/d"), content, "square") == Path(f"/d/ab/{content}.square.webp")
