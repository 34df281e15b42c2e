"""Which model each service computes with: the one in use, and the one that is to be.

A change of model takes time: until the new model is ready, and has seen every photo where its vectors are searched, the
one in use stays. Models are kept as the JSON of their specs, "" for none. What a change needs is `batch/models.py`'s.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pyarrow as pa
from lancedb.expr import col, lit
from pydantic import ValidationError

from cluster.settings import ModelSpec, Settings
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

log = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [
        key("service"),
        *texts("configured", "in_use", "chosen", "before", "changed_by", "waits_for"),
        column("changed_at", TIME),
        column("swapped_at", TIME),
    ]
)
KEPT_READY = timedelta(seconds=60)  # so long the model in use before stays loaded: requests under way may ask it still


class Choice(msgspec.Struct, frozen=True):
    """The models of one service, each the JSON of a spec or "" for none."""

    service: str
    configured: str  # what the settings said when they were last read
    in_use: str  # whose vectors are searched, who is asked
    chosen: str  # who is to be in use
    before: str  # who was in use before
    changed_by: str  # who chose; "" for the settings
    changed_at: datetime
    swapped_at: datetime
    waits_for: str = ""  # what a change waits for beside its model, in a sentence

    @property
    def changing(self) -> bool:
        """Whether a change is under way."""
        return self.in_use != self.chosen


class Choices:
    """The models of all services."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "choices", SCHEMA, "service")
        self._clock = clock

    def all(self) -> dict[str, Choice]:
        """Every service's models, by service."""
        return {row["service"]: Choice(**row) for row in self.table.rows().to_pylist()}

    def settle(self, service: str, spec: ModelSpec | None) -> None:
        """Note what the settings say of a service's model: where that is new, it is what is to be in use.

        Where nothing was in use, and where the settings take the model away, it counts at once.
        """
        told, now = text_of(spec), self._clock()
        row = self.table.get(service)
        if row and spec_of(row["configured"]) == spec:
            return  # also where an older Brightroom wrote the same in other words
        first = Choice(service, told, told, told, "", "", now, now)
        if self.table.insert_new(rows_of([msgspec.structs.asdict(first)], SCHEMA)):
            return
        same_service = col("service") == lit(service)
        news = same_service & (col("configured") != lit(told))
        at_once = news & (col("in_use") == lit("")) if told else news
        values = {"configured": told, "chosen": told, "changed_by": "", "changed_at": now}
        if not self.table.change(at_once, {**values, "in_use": told, "swapped_at": now}):
            self.table.change(news, values)

    def choose(self, service: str, spec: ModelSpec, by: str) -> Choice:
        """Note which model is to be in use; where none is, it is at once. Raises KeyError for a service not settled."""
        told, now = text_of(spec), self._clock()
        values = {"chosen": told, "changed_by": by, "changed_at": now}
        none_yet = (col("service") == lit(service)) & (col("in_use") == lit(""))
        if not self.table.change(none_yet, {**values, "in_use": told, "swapped_at": now}):
            self.table.change(col("service") == lit(service), values)
        return self.all()[service]

    def swap(self, choice: Choice) -> bool:
        """Put the chosen model in use; False when another was chosen meanwhile."""
        same = (col("service") == lit(choice.service)) & (col("chosen") == lit(choice.chosen))
        unchanged = same & (col("in_use") == lit(choice.in_use))
        values = {"in_use": choice.chosen, "before": choice.in_use, "swapped_at": self._clock(), "waits_for": ""}
        return bool(self.table.change(unchanged, values))

    def note(self, choice: Choice, waits_for: str) -> None:
        """Note what a change waits for, where that is news."""
        if choice.waits_for != waits_for:
            same = (col("service") == lit(choice.service)) & (col("chosen") == lit(choice.chosen))
            self.table.change(same, {"waits_for": waits_for})

    def kept_ready(self, choice: Choice) -> bool:
        """Whether the model in use before is to stay loaded for a while."""
        return bool(choice.before) and self._clock() - choice.swapped_at < KEPT_READY


def text_of(spec: ModelSpec | None) -> str:
    """A spec as text: the same for the same spec, also in a later Brightroom that can be told more."""
    return spec.model_dump_json(exclude_defaults=True) if spec else ""


def spec_of(text: str) -> ModelSpec | None:
    """The spec of a text; None for one that only another Brightroom understands: then nothing is in use."""
    try:
        return ModelSpec.model_validate_json(text) if text else None
    except ValidationError:
        log.error("a model that was chosen cannot be understood any more; choose another: %s", text)
        return None


def in_use(settings: Settings, choices: Mapping[str, Choice]) -> Settings:
    """The settings with the models that are in use, in place of those they came with."""
    services = {name: spec_of(choice.in_use) for name, choice in choices.items()}
    return settings.model_copy(update={"services": {**settings.services, **services}})


def chosen(settings: Settings, choices: Mapping[str, Choice]) -> Settings:
    """The settings with the models that are to be in use."""
    services = {name: spec_of(choice.chosen) for name, choice in choices.items()}
    return settings.model_copy(update={"services": {**settings.services, **services}})
