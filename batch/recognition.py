"""Who is on the pictures: each face gets the best person with a probability, and faces left over get a cluster.

Plain arithmetic on vectors: it knows no tables, jobs or models, and the scale of a model's vectors is learnt from them.
Persons follow from the faces and from what people said of them, not from the order faces come in nor from earlier
answers. Earlier clusters are begun with, so what was grouped need not be grouped again, and they keep their numbers.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batch.clusters import grouped, numbered, sums_of
from batch.likeness import Ids, Likeness, Vectors, distances, measured

SURE = 0.95  # probability from which on an unlabeled face helps to tell its person
ROUNDS = 8
MARGIN = 2.0  # how fast a face is less in doubt, for each spread that the next person is farther away
BARRED = np.float32(-2)  # in a cosine's place: this person may not be
BLOCK = 2**23  # of cosines in memory at once


class Recognised(NamedTuple):
    """What is known of each face."""

    person: Ids  # (N,) the best person; a labeled face's own; -1 where no person may be
    probability: Vectors  # (N,) that it is that person; 1 for a labeled face
    cluster: Ids  # (N,) -1 for a face that has a person for certain, or is like no other


class Looks(NamedTuple):
    """The persons as they look, each in one or more ways, sorted by person."""

    sums: Vectors  # (L, D) of the faces that look so
    counts: Vectors  # (L,)
    person: Ids  # (L,)


class Guess(NamedTuple):
    """The best look for each face, -1 where no person may be; and the probability that it is that person."""

    look: Ids
    probability: Vectors


def recognise(
    vectors: Vectors,
    labels: Ids,
    clusters: Ids,
    rejected: Collection[tuple[int, int]],
    confidence: float,
    likeness: Likeness | None = None,
) -> Recognised:
    """Persons and clusters for (N, D) faces of unit length.

    Labels are persons' indexes and clusters are earlier numbers, (N,) and -1 for none. Rejected: (face, person).
    A face whose probability reaches `confidence` has its person for certain. `likeness` is the scale of the vectors
    where it is known; by default it is learnt from them.
    """
    order = np.lexsort((labels, clusters, *vectors.T[3::-1]))
    place = np.argsort(order)
    found = recognise_sorted(
        np.ascontiguousarray(vectors[order], np.float32),
        labels[order].astype(np.int32),
        clusters[order].astype(np.int32),
        {(int(place[face]), person) for face, person in rejected},
        confidence,
        likeness,
    )
    return Recognised(found.person[place], found.probability[place], found.cluster[place])


def recognise_sorted(
    vectors: Vectors,
    labels: Ids,
    clusters: Ids,
    rejected: Collection[tuple[int, int]],
    confidence: float,
    likeness: Likeness | None,
) -> Recognised:
    """The same, for faces that come sorted."""
    likeness = likeness or measured(vectors, labels)
    person, probability = inferred(vectors, labels, rejected, likeness)
    left = np.flatnonzero((labels < 0) & (probability < confidence))
    cluster = np.full(len(vectors), -1, np.int32)
    groups = grouped(vectors[left], clusters[left], likeness.cut)
    cluster[left] = numbered(groups, clusters[left], int(clusters.max(initial=-1)) + 1)
    return Recognised(person, probability, cluster)


def inferred(
    vectors: Vectors, labels: Ids, rejected: Collection[tuple[int, int]], likeness: Likeness
) -> tuple[Ids, Vectors]:
    """(N,) the best person of each face and the probability.

    Faces that are surely a person's help to tell that person; this goes on until no more of them are found.
    """
    person, probability = labels.copy(), (labels >= 0).astype(np.float32)
    rest = np.flatnonzero(labels < 0)
    if not len(rest) or len(rest) == len(labels):
        return person, probability
    looks, unlabeled = looks_of(vectors, labels, likeness), vectors[rest]
    barred = barred_looks(rest, rejected, looks)
    helps = np.full(len(rest), -1, np.int32)
    for _ in range(ROUNDS):
        guess = guessed(unlabeled, with_help(looks, unlabeled, helps), helps, barred, likeness)
        sure = np.where(guess.probability >= SURE, guess.look, -1)
        if (sure == helps).all():
            break
        helps = sure
    person[rest] = np.where(guess.look >= 0, looks.person[guess.look], -1)
    probability[rest] = guess.probability
    return person, probability


def looks_of(vectors: Vectors, labels: Ids, likeness: Likeness) -> Looks:
    """How each labeled person looks: a child and the grown-up it became are two looks of one person."""
    found: list[Looks] = []
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    persons, first = np.unique(labels[order], return_index=True)
    for person, faces in zip(persons, np.split(order, first[1:]), strict=True):
        own = vectors[faces]
        groups = grouped(own, np.full(len(own), -1, np.int32), likeness.cut)
        counts = np.bincount(groups).astype(np.float32)
        found.append(Looks(sums_of(own, groups, len(counts)), counts, np.full(len(counts), person, np.int32)))
    return Looks(*(np.concatenate(column) for column in zip(*found, strict=True)))


def with_help(looks: Looks, vectors: Vectors, helps: Ids) -> Looks:
    """The looks with the unlabeled faces that are surely so."""
    some = helps >= 0
    if not some.any():
        return looks
    sums = looks.sums + sums_of(vectors[some], helps[some], len(looks.counts))
    return looks._replace(sums=sums, counts=looks.counts + np.bincount(helps[some], minlength=len(looks.counts)))


def barred_looks(faces: NDArray[np.intp], rejected: Collection[tuple[int, int]], looks: Looks) -> NDArray[np.intp]:
    """(R, 2) places among the faces and looks that these may not have, sorted by face."""
    place = {int(face): place for place, face in enumerate(faces)} if rejected else {}
    pairs = [
        (place[face], look)
        for face, person in rejected
        if face in place
        for look in range(*np.searchsorted(looks.person, [person, person + 1]))
    ]
    return np.array(sorted(pairs), np.intp).reshape(-1, 2)


def guessed(vectors: Vectors, looks: Looks, helps: Ids, barred: NDArray[np.intp], likeness: Likeness) -> Guess:
    """The best look of each face, in blocks of faces. Nobody's look counts a face's own help for itself."""
    means = (looks.sums / looks.counts[:, None]).astype(np.float32)
    look, probability = np.empty(len(vectors), np.int32), np.empty(len(vectors), np.float32)
    step = max(1, BLOCK // len(means))
    for start in range(0, len(vectors), step):
        part = slice(start, start + step)
        cosines = vectors[part] @ means.T
        (rows,) = np.nonzero(helps[part] >= 0)
        own = helps[part][rows]
        counts = looks.counts[own]
        cosines[rows, own] = (cosines[rows, own] * counts - 1) / (counts - 1)
        first, last = np.searchsorted(barred[:, 0], [start, start + step])
        cosines[barred[first:last, 0] - start, barred[first:last, 1]] = BARRED
        look[part], probability[part] = best_of(cosines, looks.person, likeness)
    return Guess(look, probability)


def best_of(cosines: Vectors, person: Ids, likeness: Likeness) -> Guess:
    """The best column of each row and its person's probability, against all others and somebody nobody has named."""
    rows, best = np.arange(len(cosines)), cosines.argmax(axis=1)
    persons = by_person(cosines, person)
    column = np.unique(person, return_inverse=True)[1][best]
    chance = chances(persons, likeness)[rows, column]
    nearest = persons[rows, column]
    persons[rows, column] = BARRED
    chance = np.minimum(chance, clear(nearest, persons.max(axis=1), likeness))
    allowed = nearest > BARRED
    return Guess(np.where(allowed, best, -1).astype(np.int32), np.where(allowed, chance, 0).astype(np.float32))


def chances(cosines: Vectors, likeness: Likeness) -> Vectors:
    """(N, P) the probability of each person for each face; what is missing from 1 is somebody nobody has named."""
    odds = np.where(cosines > BARRED, likeness.evidence(cosines) + np.float32(likeness.prior), -np.inf)
    base = np.maximum(odds.max(axis=1, keepdims=True), 0)
    weights = np.exp(odds - base)
    found: Vectors = weights / (weights.sum(axis=1, keepdims=True) + np.exp(-base))
    return found


def clear(first: Vectors, second: Vectors, likeness: Likeness) -> Vectors:
    """The probability that a face is nearer to the first person than to the second by more than chance."""
    margin = (distances(second) - distances(first)) / likeness.same_spread
    found: Vectors = (1 / (1 + np.exp(-MARGIN * margin))).astype(np.float32)
    return found


def by_person(cosines: Vectors, person: Ids) -> Vectors:
    """The cosine of each person's nearest look, a column for each person."""
    first = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    found: Vectors = np.maximum.reduceat(cosines, first, axis=1)
    return found


def candidates(
    vector: Vectors,
    vectors: Vectors,
    labels: Ids,
    rejected_persons: Collection[int],
    count: int,
    likeness: Likeness | None = None,
) -> list[tuple[int, float]]:
    """The best persons for one face of unit length, the best first, with probabilities that sum to 1 at most.

    Labels of the (N, D) other faces are persons' indexes, -1 for none; `likeness` as `recognise` takes it.
    """
    if (labels < 0).all():
        return []
    likeness = likeness or measured(vectors, labels)
    looks = looks_of(vectors, labels, likeness)
    means = (looks.sums / looks.counts[:, None]).astype(np.float32)
    cosines = by_person((means @ vector)[None], looks.person)
    persons = np.unique(looks.person)
    cosines[0, np.isin(persons, list(rejected_persons))] = BARRED
    best = np.argsort(-cosines[0], kind="stable")
    chance = chances(cosines, likeness)[0]
    if len(best) > 1:
        chance[best[0]] = min(chance[best[0]], clear(cosines[0, best[:1]], cosines[0, best[1:2]], likeness)[0])
    return [(int(persons[place]), float(chance[place])) for place in best[:count] if cosines[0, place] > BARRED]
