"""How far apart two pictures of one person lie, and those of two people: learnt from the faces at hand.

Each face model has a scale of its own, so none is written down here. Distances are those between unit vectors. Whose a
face is, is not decided here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]  # (N, D) rows of unit length
Ids = NDArray[np.int32]

EDGES: Floats = np.linspace(0, 2, 1025)
MIDDLES: Floats = (EDGES[1:] + EDGES[:-1]) / 2
SAMPLE = 1024  # faces whose pairs are looked at, however many faces there are
NEIGHBOURS = 4
STARTS, ROUNDS = 20, 100
SETTLED = 1e-5  # log likelihood of a pair, gained in a round
MOST_UNEQUAL = 1.5  # how much wider one kind's spread may be than the other's
LEAST_SPREAD = 0.06  # of the distance between two people
APART = 3.0  # spreads between the two kinds, below which they are not told apart
TWICE = 2.0  # how much farther two people are than two pictures of one, where the faces show only one of both
RARE = 0.01  # the share of pairs of one person, where the faces do not tell


class Likeness(NamedTuple):
    """Two normal distributions of distances, and how often two faces taken at random are one person's."""

    same: float
    same_spread: float
    other: float
    other_spread: float
    share: float  # of pairs that are one person's, 0..1

    def evidence(self, similarity: NDArray[np.floating]) -> NDArray[np.float32]:
        """The log of how much likelier a mean cosine is between faces of one person than of two; it rises with it."""
        distance = np.sqrt(np.maximum(0, 2 - 2 * similarity))
        turn = self.turn()
        distance = np.maximum(distance, turn) if self.same_spread < self.other_spread else np.minimum(distance, turn)
        one = ((distance - self.same) / self.same_spread) ** 2
        two = ((distance - self.other) / self.other_spread) ** 2
        found: NDArray[np.float32] = ((two - one) / 2 + np.log(self.other_spread / self.same_spread)).astype(np.float32)
        return found

    def turn(self) -> float:
        """The distance at which the two distributions' ratio would turn round; beyond it, it stays as it is there."""
        one, two = self.same_spread**-2, self.other_spread**-2
        return (self.same * one - self.other * two) / (one - two) if one != two else np.inf

    @property
    def prior(self) -> float:
        """The log odds that two faces taken at random are one person's."""
        return float(np.log(self.share / (1 - self.share)))

    @property
    def cut(self) -> float:
        """The mean cosine from which on two groups of faces are one person's.

        Half of the prior counts: a group has been found alike before, so it is no pair taken at random.
        """
        distances = np.linspace(0, self.other, 4001)
        one = self.evidence(1 - distances**2 / 2) + self.prior / 2 >= 0
        return float(1 - distances[one].max(initial=0) ** 2 / 2)


def measured(vectors: Vectors, labels: Ids) -> Likeness:
    """What the faces tell of their model's scale; cautious where they tell little.

    Labels are persons' indexes, -1 for none. A picture that is there many times counts once.
    """
    known = labeled_distance(vectors, labels)
    vectors = distinct(vectors)
    if len(vectors) < 2:
        return supposed(np.sqrt(2), np.inf)
    some = spaced(len(vectors), SAMPLE)
    needed = APART * (1 + 2 / len(some))  # few faces lie apart by chance
    pairs = counted(pair_similarities(vectors[some]))
    found = fitted([pairs], needed)
    if found is None and len(vectors) > SAMPLE:
        found = fitted([pairs, counted(near_similarities(vectors, some))], needed)
    return found or supposed(float(pairs @ MIDDLES / pairs.sum()), known)


def distinct(vectors: Vectors) -> Vectors:
    """The vectors without repetitions, in an order of their own; two numbers tell them apart."""
    two = np.ascontiguousarray(vectors[:, :2], np.float32).view(np.int64).ravel()
    return vectors[np.unique(two, return_index=True)[1]]


def supposed(typical: float, known: float) -> Likeness:
    """For faces all about as far apart: different people, unless labels say that one person's are as far."""
    other = TWICE * typical if known <= typical * 1.25 and known >= typical * 0.75 else typical
    spread = max(other / 10, 1e-3)
    return Likeness(other / TWICE, spread, max(other, 1e-2), spread, RARE)


def labeled_distance(vectors: Vectors, labels: Ids) -> float:
    """The mean distance between labeled faces of one person; infinite where no person has two."""
    some = np.flatnonzero(labels >= 0)
    some = some[spaced(len(some), SAMPLE)]
    alike = labels[some][:, None] == labels[some][None]
    pairs = np.triu(alike, 1)
    if not pairs.any():
        return np.inf
    return float(distances(vectors[some] @ vectors[some].T)[pairs].mean())


def spaced(count: int, at_most: int) -> NDArray[np.intp]:
    """Places of at most so many of a row, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, at_most)).astype(np.intp))


def distances(similarity: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distances between unit vectors from their cosines."""
    found: NDArray[np.floating] = np.sqrt(np.maximum(0, 2 - 2 * similarity))
    return found


def counted(similarity: NDArray[np.floating]) -> Floats:
    """How many pairs lie at each distance."""
    return np.histogram(distances(similarity), EDGES)[0].astype(np.float64)


def pair_similarities(vectors: Vectors) -> NDArray[np.floating]:
    """The cosine of each pair."""
    found: NDArray[np.floating] = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return found


def near_similarities(vectors: Vectors, some: NDArray[np.intp]) -> NDArray[np.floating]:
    """The cosines between the nearest neighbours of some faces: pairs of one person where people are many."""
    found = []
    for start in range(0, len(some), 64):
        near = np.argpartition(-(vectors[some[start : start + 64]] @ vectors.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        groups = vectors[near]
        cosines = np.einsum("aid,ajd->aij", groups, groups)
        one, two = np.triu_indices(NEIGHBOURS, 1)
        found.append(cosines[:, one, two].ravel())
    return np.concatenate(found)


def fitted(counts: list[Floats], needed: float) -> Likeness | None:
    """Two normal distributions that explain the counts best, if they lie as many spreads apart as is needed.

    The first counts are those of pairs taken at random; each has its own share of one person's pairs.
    """
    sets = [count / count.sum() for count in counts]
    seen = np.flatnonzero(sum(sets))
    starts = np.linspace(MIDDLES[seen[0]], MIDDLES[seen[-1]], STARTS + 2)[1:-1]
    found = [fit for start in starts if (fit := expected(sets, start)) is not None]
    if not found:
        return None
    _, best = max(found, key=lambda fit: fit[0])
    apart = (best.other - best.same) / np.hypot(best.same_spread, best.other_spread)
    return best if apart >= needed else None


def expected(sets: list[Floats], start: float) -> tuple[float, Likeness] | None:
    """Expectation and maximisation from a first guess of where the kinds part; and how likely what came of it is."""
    ours = [(start > MIDDLES).astype(np.float64)] * len(sets)
    likely, now = -np.inf, None
    for _ in range(ROUNDS):
        one = sum(seen * part for seen, part in zip(sets, ours, strict=True))
        two = sum(seen * (1 - part) for seen, part in zip(sets, ours, strict=True))
        if np.sum(one) < 1e-9 or np.sum(two) < 1e-9:
            return None
        shares = [float(np.clip(seen @ part, 1e-6, 1 - 1e-6)) for seen, part in zip(sets, ours, strict=True)]
        now = maximised(np.asarray(one), np.asarray(two), shares[0])
        before, (likely, ours) = likely, explained(sets, shares, now)
        if likely - before < SETTLED:
            break
    return (likely, now) if now and now.other > now.same else None


def maximised(one: Floats, two: Floats, share: float) -> Likeness:
    """The two distributions of counts that are parted, with spreads that are neither tiny nor very unequal."""
    same, other = float(one @ MIDDLES / one.sum()), float(two @ MIDDLES / two.sum())
    narrow = LEAST_SPREAD * max(same, other)
    spreads = [
        max(narrow, float(np.sqrt(part @ (MIDDLES - middle) ** 2 / part.sum())))
        for part, middle in ((one, same), (two, other))
    ]
    widest = MOST_UNEQUAL * min(spreads)
    return Likeness(same, min(spreads[0], widest), other, min(spreads[1], widest), share)


def explained(sets: list[Floats], shares: list[float], now: Likeness) -> tuple[float, list[Floats]]:
    """How likely the counts are, and for each distance the part that is of one person."""
    one = -(((MIDDLES - now.same) / now.same_spread) ** 2) / 2 - np.log(now.same_spread)
    two = -(((MIDDLES - now.other) / now.other_spread) ** 2) / 2 - np.log(now.other_spread)
    likely, parts = 0.0, []
    for seen, share in zip(sets, shares, strict=True):
        ours, all_of_them = one + np.log(share), np.logaddexp(one + np.log(share), two + np.log(1 - share))
        likely += float(seen @ all_of_them)
        parts.append(np.exp(ours - all_of_them))
    return likely, parts
