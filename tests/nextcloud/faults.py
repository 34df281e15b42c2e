"""When something goes wrong: by a script ("the third GET of this path") or by chance from a seed, every time counted.

    cloud.faults.at("short_body", path="a.jpg", nth=3)          # the third request for a.jpg that can meet it
    cloud.faults.always("maintenance")
    cloud.faults.seed = 7
    cloud.faults.sometimes("reset_midway", 0.1, most=50)        # one request in ten, 50 in all
    cloud.faults.measures.stall_s = 0.5                         # numbers: kinds.py
    ...
    assert cloud.faults.counted["short_body"] == 1

`KINDS` has all kinds by name. Chance depends on the seed, the request and its how many-th time only, not on the order
in which threads come, so the same seed gives the same faults (until a `most` is used up). By chance, no more than
`in_a_row` requests for the same thing go wrong one after the other: who tries again often enough gets through. A rule
without method and path is about /status.php, logins and the OCS API as well. True maintenance is `cloud.maintain()`.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from tests.nextcloud import body_faults, listing_faults, status_faults, wire_faults
from tests.nextcloud.gateway import Answering, Seen, Wire
from tests.nextcloud.kinds import KINDS, Kind, Measures, Unfit
from tests.nextcloud.status_faults import LOOP

FAMILIES = (wire_faults, body_faults, status_faults, listing_faults)  # importing them fills KINDS


@dataclass
class Rule:
    """When one kind of fault is due."""

    kind: Kind
    method: str | None
    path: str | None
    probability: float = 0.0
    nth: int = 0  # of a script, from 1; 0 for chance
    times: int | None = None  # in succession of a script, or in all by chance; None without end
    asked: int = 0
    done: int = 0

    def fits(self, seen: Seen) -> bool:
        """Whether the rule is about this request; counts it."""
        fits = self.method in (None, seen.method) and self.path in (None, seen.path) and self.kind.fits(seen)
        self.asked += fits
        return fits

    def due(self, seen: Seen, seed: int, may: bool) -> bool:
        """Whether it is due with this request, which fits; by chance only where it may."""
        if self.nth:
            return self.asked >= self.nth and (self.times is None or self.asked < self.nth + self.times)
        if not may or (self.times is not None and self.done >= self.times):
            return False
        drawn = random.Random(f"{seed} {self.kind.name} {seen.method} {seen.target} {seen.number}").random()
        return drawn < self.probability


class Faults:
    """The rules, and how often each kind has happened."""

    def __init__(self, change: Callable[[Seen], None] = lambda _: None) -> None:
        """Args: what changes the file that is asked for on the server."""
        self.seed = 0
        self.in_a_row = 2
        self.measures = Measures()
        self.change = change
        self.counted: Counter[str] = Counter()
        self._rules: list[Rule] = []
        self._rows: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def at(
        self, kind: str, method: str | None = None, path: str | None = None, nth: int = 1, times: int | None = 1
    ) -> Self:
        """A fault at the nth request that can meet it, counted from now, and at the next ones up to `times` in all."""
        return self._add(Rule(KINDS[kind], method, path, nth=nth, times=times))

    def always(self, kind: str, method: str | None = None, path: str | None = None) -> Self:
        """A fault at every request that can meet it."""
        return self.at(kind, method, path, times=None)

    def sometimes(
        self, kind: str, probability: float, most: int | None = None, method: str | None = None, path: str | None = None
    ) -> Self:
        """A fault by chance, at most so often in all."""
        return self._add(Rule(KINDS[kind], method, path, probability, times=most))

    def clear(self) -> None:
        """Nothing goes wrong from now on; the counts stay."""
        with self._lock:
            self._rules.clear()

    def due(self, seen: Seen) -> "Due | None":
        """The fault that is due with a request; scripts before chance."""
        if LOOP in seen.target:
            return Due(self, None, KINDS["redirect_loop"])
        with self._lock:
            key = (seen.method, seen.target)
            may = self._rows[key] < self.in_a_row
            found = [
                rule for rule in [rule for rule in self._rules if rule.fits(seen)] if rule.due(seen, self.seed, may)
            ]
            if not found:
                self._rows[key] = 0
                return None
            rule = min(found, key=lambda rule: not rule.nth)
            rule.done += 1
            self._rows[key] += 1
            self.counted[rule.kind.name] += 1
            return Due(self, rule, rule.kind)

    def passed_over(self, rule: Rule) -> None:
        """Take back that a fault happened."""
        with self._lock:
            rule.done -= 1
            self.counted[rule.kind.name] -= 1

    def _add(self, rule: Rule) -> Self:
        with self._lock:
            self._rules.append(rule)
        return self


@dataclass
class Due:
    """A fault that is to happen now."""

    faults: Faults
    rule: Rule | None
    what: Kind

    @property
    def kind(self) -> str:
        """Its name."""
        return self.what.name

    def spoil(self, seen: Seen, answer: Answering, wire: Wire) -> None:
        """Let it happen; where the answer is none that can be spoilt so, give it as it is."""
        seen.fault = self.kind
        try:
            self.what.spoil(seen, answer, wire, replace(self.faults.measures, change=self.faults.change))
        except Unfit:
            seen.fault = ""
            if self.rule is not None:
                self.faults.passed_over(self.rule)
            given = answer()
            wire.give(given.status, given.headers, given.whole())
