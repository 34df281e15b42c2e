"""Made-up faces whose people are known, and what tests ask of answers about them."""

from collections.abc import Collection

import numpy as np

from batch.recognition import Recognised, recognise

CONFIDENCE = 0.9


def faces(people: int, each: int, width: int = 128, blur: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of unit length of so many people with so many pictures each, and the people."""
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(people, dtype=np.int32), each)
    vectors = random.normal(size=(people, width))[owners] + blur * random.normal(size=(len(owners), width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), owners


def nobody(vectors: np.ndarray) -> np.ndarray:
    """-1 for every face."""
    return np.full(len(vectors), -1, np.int32)


def first_named(people: np.ndarray) -> np.ndarray:
    """Labels for the first face of each person."""
    labels = np.full(len(people), -1, np.int32)
    persons, places = np.unique(people, return_index=True)
    labels[places] = persons
    return labels


def run(
    vectors: np.ndarray,
    labels: np.ndarray,
    clusters: np.ndarray | None = None,
    rejected: Collection[tuple[int, int]] = (),
) -> Recognised:
    """Recognise with the usual confidence."""
    return recognise(vectors, labels, nobody(vectors) if clusters is None else clusters, rejected, CONFIDENCE)


def same(one: Recognised, other: Recognised) -> bool:
    """Whether two answers are equal to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def parts(groups: np.ndarray) -> set[frozenset[int]]:
    """The groups as sets of faces."""
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in np.unique(groups[groups >= 0])}
