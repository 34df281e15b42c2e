"""Whom a face may be, in a library where few of very many faces are labeled."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from batch.candidates import NEIGHBOURS, likely
from batch.naming import Naming
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.people import id_of
from cluster.store.schema import rows_of
from cluster.store.writer import Writer

MODEL, WIDTH = "faces@1", 64
NOW = {"added_at": datetime(2026, 1, 1, tzinfo=UTC), "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Somebody with more faces than are looked at as neighbours, another with few; one of each is labeled."""
    store = StoreSettings(fresh_s=0)
    library = open_library(Settings(root=tmp_path, store=store), "somebody")
    random = np.random.default_rng(0)
    table = library.embeddings(MODEL, WIDTH)
    for person, count in enumerate([2 * NEIGHBOURS, 20]):
        vectors = random.normal(size=WIDTH) + 0.35 * random.normal(size=(count, WIDTH))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        photos = [f"{person}-{number}" for number in range(count)]
        faces = [{"face_id": one, "photo_id": one, "right": 0.5, "bottom": 0.5, "model": MODEL} for one in photos]
        rows = [{"id": one, "photo_id": one, "vector": vector} for one, vector in zip(photos, vectors, strict=True)]
        library.faces.upsert(rows_of(faces, library.faces.schema))
        library.photos.upsert(rows_of([{"photo_id": one, **NOW} for one in photos], library.photos.schema))
        table.upsert(rows_of(rows, table.schema))
    naming = Naming(library, Writer(library, store), "me")
    naming.label(["0-0"], name="Ada")
    naming.label(["1-0"], name="Bo")
    return library


def test_a_person_is_a_candidate_though_all_nearer_faces_are_nobodys(library: Library):
    """Every face of hers has her as the likeliest, whatever number of faces lies before the labeled one."""
    found = [likely(library, MODEL, f"0-{number}", 5) for number in range(1, 2 * NEIGHBOURS, 20)]

    assert {one[0][0] if one else "" for one in found} == {id_of("Ada")}
    assert all({person for person, _ in one} == {id_of("Ada"), id_of("Bo")} for one in found)


def test_there_are_no_candidates_where_nobody_has_a_name(library: Library):
    """Nor for a face without a vector."""
    writer = Writer(library, StoreSettings())
    Naming(library, writer, "me").unlabel(["0-0", "1-0"])

    assert likely(library, MODEL, "0-1", 5) == []
    assert likely(library, MODEL, "no-such-face", 5) == []
