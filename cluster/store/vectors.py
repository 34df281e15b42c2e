"""Embeddings: a table for each model, never two models in one, and the registry that says which there are."""

import hashlib
import re
from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import Expr, col, lit
from lancedb.index import IvfSq

from cluster.errors import StoreError
from cluster.store.clock import utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

MODELS = pa.schema(
    [
        key("name"),
        *texts("table"),
        column("width", pa.int32()),
        column("created_at", TIME),
        column("indexed_rows", pa.int64()),
    ]
)
ANN_ROWS = 50_000  # with fewer vectors, comparing with each is fast enough and exact
PROBES, REFINE = 20, 2  # measured on a million vectors: p99 14 ms, recall 1.0
REGROWN = 4  # an index whose table has grown so many times is made anew
INDEX = "vector_index"

Hit = tuple[str, str, float]  # id, photo_id, cosine similarity


def table_name(model: str) -> str:
    """The name of a model's table: what can be read of its name, and a part of its hash so that no two share one."""
    readable = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")[:40]
    return f"embeddings_{readable}_{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def schema(width: int) -> pa.Schema:
    """An embeddings table; `id` is a photo_id, or a face_id, and vectors have unit length."""
    return pa.schema([key("id"), *texts("photo_id"), column("vector", pa.list_(pa.float32(), width))])


class Embeddings(Table):
    """The vectors of one model."""

    def __init__(self, database: Connection, model: str, width: int) -> None:
        super().__init__(database, table_name(model), schema(width), "id")
        self.model = model
        self.width = width

    def nearest(self, vector: Sequence[float], limit: int, where: Expr | None = None) -> list[Hit]:
        """The ids most similar to a vector of unit length, best first, with their photos and cosine similarities.

        Exact without an index, which `Models.build_index` makes for large tables.
        """
        if limit < 1:  # to LanceDB 0 is no limit
            return []
        query = self.lance.search([float(value) for value in vector], vector_column_name="vector")
        # No most: under a narrow filter the nearest parts of the index may hold too few of the allowed.
        query = query.distance_type("cosine").minimum_nprobes(PROBES).maximum_nprobes(0).refine_factor(REFINE)
        query = query.where(where, prefilter=True) if where is not None else query
        found = query.select(["id", "photo_id", "_distance"]).limit(limit).to_arrow().to_pylist()
        return [(row["id"], row["photo_id"], 1 - row["_distance"]) for row in found]

    def vectors(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """The vectors of some ids; ids without one are left out."""
        rows = self.by_keys(ids, ["id", "vector"])
        return dict(zip(rows["id"].to_pylist(), rows["vector"].to_pylist(), strict=True))

    def make_index(self, rows: int) -> None:
        """Make the index, or make it anew; `rows` says roughly how many there are."""
        config = IvfSq(distance_type="cosine", num_partitions=int(rows**0.5))
        with self._writing():
            self.lance.create_index("vector", config=config, name=INDEX, replace=True)


class Models(Table):
    """The models that have embeddings in a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "models", MODELS, "name")
        self._tables: dict[str, Embeddings] = {}

    def embeddings(self, model: str, width: int) -> Embeddings:
        """A model's table, made when it is new; raises StoreError when the model had vectors of another width."""
        if (known := self.find(model)) is None:
            row = {"name": model, "table": table_name(model), "width": width, "created_at": utc_now()}
            self.insert_new(rows_of([row], MODELS))
            known = self.find(model)
        if known is None or known.width != width:
            there = known.width if known else "no"
            raise StoreError(
                f"{model} has vectors of width {there} here, not {width}; name its new revision differently."
            )
        return known

    def build_index(self, model: str, ann_rows: int = ANN_ROWS) -> bool:
        """Index a model's vectors if they are many and have no index, or one made when they were far fewer."""
        vectors, row = self.find(model), self.get(model)
        rows = vectors.count() if vectors else 0
        if not vectors or not row or rows < max(ann_rows, REGROWN * row["indexed_rows"]):
            return False
        vectors.make_index(rows)
        self.change(col("name") == lit(model), {"indexed_rows": rows})
        return True

    def find(self, model: str) -> Embeddings | None:
        """A model's table, or None when the library has no vectors of it."""
        if model not in self._tables and (row := self.get(model)):
            self._tables[model] = Embeddings(self.database, model, row["width"])
        return self._tables.get(model)

    def of_table(self, name: str) -> Embeddings:
        """The model's table of that name; raises KeyError."""
        for model in self.names():
            if table_name(model) == name and (found := self.find(model)):
                return found
        raise KeyError(name)

    def names(self) -> list[str]:
        """The models the library has vectors of, oldest first."""
        return [str(name) for name in self.rows(columns=["name"], order_by="created_at")["name"].to_pylist()]
