"""A file made of pieces of another one, and that one made of it again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_apps.media.pieces import Kept, Piece, backwards, contents, size_of
from serve_apps.media.source import Source
from tests.api.world import STEADY

OLD = bytes(range(200))
STRETCHES = st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda ends: Kept(min(ends), max(ends)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are."""
    return tmp_path_factory.mktemp("pieces")


@STEADY
@given(pieces=st.lists(st.one_of(STRETCHES, st.binary(max_size=9)), max_size=8))
def test_what_was_put_together_otherwise_is_put_back_to_the_byte(folder: Path, pieces: list[Piece]):
    """Whatever was left out, moved or used twice; only what is in no piece is kept as bytes."""
    old, new = folder / "old", folder / "new"
    old.write_bytes(OLD)
    with Source(bytes(old)) as source:
        new.write_bytes(b"".join(contents(source, pieces)))
        back = backwards(pieces, source)

    assert new.stat().st_size == size_of(pieces)
    with Source(bytes(new)) as source:
        assert b"".join(contents(source, back)) == OLD
    used = {place for piece in pieces if isinstance(piece, Kept) for place in range(piece.start, piece.end)}
    assert sum(len(piece) for piece in back if isinstance(piece, bytes)) == len(OLD) - len(used)
