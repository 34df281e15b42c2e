"""How paths are named."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.store.paths import dir_id, display, file_id

LETTERS = string.ascii_letters + string.digits + " ._-()äöüßéñ中日本語"
ORDINARY = st.text(LETTERS, min_size=1, max_size=20)
PATHS = st.lists(ORDINARY, min_size=1, max_size=4).map("/".join)


@settings(deadline=None, derandomize=True)
@given(PATHS)
def test_an_ordinary_path_is_shown_as_it_is(path: str) -> None:
    """With its folders, spaces and letters of any script."""
    assert display(path.encode()) == path


def test_what_is_no_text_is_shown_as_its_bytes() -> None:
    """Names of old file systems stay recognisable, and two of them differ."""
    assert display(b"caf\xe9.jpg") == "caf\\xe9.jpg"


@settings(deadline=None, derandomize=True)
@given(PATHS, PATHS)
def test_each_path_has_an_id_of_its_own(one: str, other: str) -> None:
    """The same whenever it is asked for, and safe to stand in a file's name or an address."""
    first, second = file_id("folder", one.encode()), file_id("folder", other.encode())

    assert (first == second) == (one == other)
    assert len(first) == 32
    assert set(first) <= set(string.hexdigits.lower())


def test_a_path_of_another_source_is_another_file() -> None:
    """Also where source and path together read the same."""
    ids = [file_id(*parts) for parts in (("a", b"b/c"), ("b", b"b/c"), ("ab", b"/c"), ("a", b"b/c "))]

    assert len(set(ids)) == 4


def test_the_source_itself_is_a_folder() -> None:
    """Its path is empty, and its id is none of those below."""
    assert dir_id("folder", b"") != dir_id("folder", b"2024")
