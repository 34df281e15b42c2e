"""Faces nobody has named, put together by likeness; and numbers for the groups, which last.

Two groups are one when the mean cosine between their faces reaches a cut, the nearest first (average linkage). The mean
cosine of two groups is the product of their means, so a group is one row however many faces it holds, and memory grows
with the faces, not with their pairs. What the cut is, and which faces are grouped, is said by `recognition.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batch.likeness import Ids, Vectors

NEAR = 32  # neighbours kept of each group
BLOCK = 2**24  # cosines in memory at once
COLUMNS = 64  # a group of columns, of which first only the highest is looked at
ROUNDING = 1e-5


class Near(NamedTuple):
    """The nearest groups of each group."""

    ids: Ids  # (N, k)
    cosines: Vectors  # (N, k)
    bound: Vectors  # (N,) no group that is not among them is nearer than this


def grouped(vectors: Vectors, start: Ids, cut: float) -> Ids:
    """(N,) a group for each face, numbered from 0 by its first face.

    Faces of one number of `start` begin as one group if they are as alike as those of a group would be; -1 is alone.
    """
    start = renumbered(started(vectors, start, cut))
    counts = np.bincount(start).astype(np.float32)
    means = sums_of(vectors, start, len(counts)) / counts[:, None]
    return renumbered(merged(means, counts, cut)[start])


def started(vectors: Vectors, start: Ids, cut: float) -> Ids:
    """The groups to begin with: those given that hold together, equal faces together, the others alone."""
    alone = np.arange(len(vectors), dtype=np.int32)
    if len(vectors):
        equal = np.flatnonzero((vectors[1:] == vectors[:-1]).all(axis=1)) + 1
        for place in equal:
            alone[place] = alone[place - 1]
    given = np.unique(start, return_inverse=True)[1].astype(np.int32)
    counts = np.bincount(given).astype(np.float64)
    sums = sums_of(vectors, given, len(counts)).astype(np.float64)
    inner = ((sums**2).sum(axis=1) - counts) / np.maximum(counts * (counts - 1), 1)
    holds = (start >= 0) & (inner >= cut - ROUNDING)[given]
    return np.where(holds, given + len(vectors), alone).astype(np.int32)


def sums_of(vectors: Vectors, groups: Ids, count: int) -> Vectors:
    """(count, D) the sum of each group's faces."""
    order = np.argsort(groups, kind="stable")
    present, first = np.unique(groups[order], return_index=True)
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    if len(present):
        sums[present] = np.add.reduceat(vectors[order], first, axis=0)
    return sums


def renumbered(groups: Ids) -> Ids:
    """The same groups, numbered from 0 in the order of their first members."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    found: Ids = rank[inverse]
    return found


def merged(means: Vectors, counts: Vectors, cut: float) -> Ids:
    """(N,) for each group the one it ends in.

    Groups that are each other's nearest are merged at once. That gives the same as one pair after the other: what is
    merged is never nearer to a third group than its nearer part was.
    """
    ends = np.arange(len(means), dtype=np.int32)
    places = ends.copy()  # of the groups that may still merge
    while len(places) > 1:
        into, open_still, means, counts = phase(means, counts, cut)
        ends[places] = places[into]
        places, means, counts = places[open_still], means[open_still], counts[open_still]
    while (ends != ends[ends]).any():
        ends = ends[ends]
    return ends


def phase(means: Vectors, counts: Vectors, cut: float) -> tuple[Ids, NDArray[np.bool_], Vectors, Vectors]:
    """Merge as far as the nearest groups of each are known for certain.

    Answers for each group the one it is in now, which groups may still merge, and the means and counts as they are now.
    """
    near = nearest(means, NEAR)
    lists = Lists(means, counts, near, cut)
    if not lists.merge_mutual():
        lists.merge_best()
    while lists.merge_mutual():
        pass
    return lists.into, lists.open(), lists.means, lists.counts


class Lists:
    """Groups with the nearest ones of each, while they merge."""

    def __init__(self, means: Vectors, counts: Vectors, near: Near, cut: float) -> None:
        """Takes the arrays and changes them."""
        self.means, self.counts, self.cut = means, counts, cut
        self.ids, self.cosines, self.bound = near
        self.into = np.arange(len(means), dtype=np.int32)
        self.alive = np.ones(len(means), np.bool_)
        self.live = self.sure(np.arange(len(means)))

    def sure(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the rows whose nearest group is known, and near enough."""
        best = self.cosines[rows].max(axis=1)
        found: NDArray[np.intp] = rows[self.alive[rows] & (best >= self.cut) & (best >= self.bound[rows])]
        return found

    def merge_mutual(self) -> bool:
        """Merge all pairs that are each other's nearest; whether there were any."""
        rows = self.live
        nearest_of = np.full(len(self.means), -1, np.int32)
        nearest_of[rows] = self.ids[rows, self.cosines[rows].argmax(axis=1)]
        others = nearest_of[rows]
        mutual = (nearest_of[others] == rows) & (rows < others)
        self.merge(rows[mutual], others[mutual])
        return bool(mutual.any())

    def merge_best(self) -> None:
        """Merge the nearest pair of all: a way out where equal distances leave no pair each other's nearest."""
        if len(self.live):
            best = self.cosines[self.live].max(axis=1)
            row = self.live[[best.argmax()]]
            self.merge(row, self.ids[row, self.cosines[row].argmax(axis=1)])

    def merge(self, kept: NDArray[np.integer], gone: NDArray[np.integer]) -> None:
        """Merge pairs of groups, none of them in two pairs."""
        if not len(kept):
            return
        one, two = self.counts[kept][:, None], self.counts[gone][:, None]
        self.means[kept] = (self.means[kept] * one + self.means[gone] * two) / (one + two)
        self.counts[kept] += self.counts[gone]
        to = np.arange(len(self.means), dtype=np.int32)
        to[gone] = kept
        self.into, self.alive[gone] = to[self.into], False
        rows = self.live[self.alive[self.live]]
        changed = np.zeros(len(self.means), np.bool_)
        changed[kept] = True
        self.ids[rows] = to[self.ids[rows]]
        self.join_lists(kept, to[self.ids[gone]], gone)
        self.renew(rows[~changed[rows]], changed)
        self.live = self.sure(np.union1d(rows, kept))

    def renew(self, rows: NDArray[np.intp], changed: NDArray[np.bool_]) -> None:
        """The cosines of rows to groups that changed."""
        row, column = np.nonzero(changed[self.ids[rows]] & (self.cosines[rows] > -1.5))
        row = rows[row]
        self.cosines[row, column] = self.products(row, self.ids[row, column])

    def join_lists(self, kept: NDArray[np.integer], others: Ids, gone: NDArray[np.integer]) -> None:
        """The nearest groups of merged groups: the best of both parts' lists."""
        ids = np.sort(np.concatenate([self.ids[kept], others], axis=1), axis=1)
        row = np.repeat(kept, ids.shape[1])
        cosines = self.products(row, ids.ravel()).reshape(ids.shape)
        cosines[ids == kept[:, None]] = -2
        cosines[:, 1:][ids[:, 1:] == ids[:, :-1]] = -2
        order = np.argsort(-cosines, axis=1, kind="stable")
        ids, cosines = np.take_along_axis(ids, order, 1), np.take_along_axis(cosines, order, 1)
        width = self.ids.shape[1]
        self.ids[kept], self.cosines[kept] = ids[:, :width], cosines[:, :width]
        self.bound[kept] = np.maximum(np.maximum(self.bound[kept], self.bound[gone]), cosines[:, width])

    def products(self, rows: NDArray[np.integer], others: NDArray[np.integer]) -> Vectors:
        """The mean cosine of pairs of groups."""
        found = np.empty(len(rows), np.float32)
        step = BLOCK // max(1, self.means.shape[1]) // 4
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            found[part] = np.einsum("nd,nd->n", self.means[rows[part]], self.means[others[part]])
        return found

    def open(self) -> NDArray[np.bool_]:
        """Which groups may still find one near enough."""
        found: NDArray[np.bool_] = self.alive & (np.maximum(self.cosines.max(axis=1), self.bound) >= self.cut)
        return found


def nearest(means: Vectors, count: int) -> Near:
    """The nearest groups of each by mean cosine, in blocks of rows."""
    total, count = len(means), min(count, len(means) - 1)
    ids, cosines = np.empty((total, count), np.int32), np.empty((total, count), np.float32)
    step = max(1, BLOCK // total)
    for start in range(0, total, step):
        block = means[start : start + step] @ means.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -2
        found = highest(block, count)
        ids[start : start + step], cosines[start : start + step] = found, np.take_along_axis(block, found, 1)
    bound = cosines.min(axis=1) if count < total - 1 else np.full(total, -2, np.float32)
    return Near(ids, cosines, bound)


def highest(block: Vectors, count: int) -> NDArray[np.integer]:
    """The columns of the highest values of each row, in no order."""
    width = block.shape[1] // COLUMNS
    if width <= 4 * count:
        return np.argpartition(-block, count - 1, axis=1)[:, :count]
    whole = block[:, : width * COLUMNS].reshape(len(block), COLUMNS, width)
    best = np.argpartition(-whole.max(axis=1), count - 1, axis=1)[:, :count]
    columns = (best[:, :, None] + width * np.arange(COLUMNS)).reshape(len(block), -1)
    rest = np.broadcast_to(np.arange(width * COLUMNS, block.shape[1]), (len(block), block.shape[1] % COLUMNS))
    columns = np.concatenate([columns, rest], axis=1)
    among = np.argpartition(-np.take_along_axis(block, columns, 1), count - 1, axis=1)[:, :count]
    return np.take_along_axis(columns, among, 1)


def numbered(groups: Ids, before: Ids, least: int) -> Ids:
    """(N,) the number of each face's group; -1 for a face alone.

    A number that was there stays with the group that holds most of its faces; a group keeps the number that most of its
    faces had. Others get new ones from `least` on, the largest group first.
    """
    sizes = np.bincount(groups) if len(groups) else np.zeros(0, np.int64)
    number = np.full(len(sizes), -1, np.int64)
    had = before >= 0
    pairs, common = np.unique(np.stack([before[had], groups[had]]), axis=1, return_counts=True)
    taken: set[int] = set()
    for place in np.lexsort((pairs[1], pairs[0], -common)):
        old, group = int(pairs[0, place]), int(pairs[1, place])
        if sizes[group] > 1 and number[group] < 0 and old not in taken:
            number[group] = old
            taken.add(old)
    fresh = np.flatnonzero((number < 0) & (sizes > 1))
    number[fresh[np.argsort(-sizes[fresh], kind="stable")]] = np.arange(least, least + len(fresh))
    return number[groups].astype(np.int32) if len(groups) else groups.astype(np.int32)
