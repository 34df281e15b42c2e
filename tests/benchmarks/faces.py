"""`python -m tests.benchmarks.faces`: how well people are recognised, beside the seed system's way on the same vectors.

On the ORL faces with the embedded model; then how long many faces take, and how much memory. The seed system's way is
HDBSCAN and a perceptron, with its parameters; where it has two answers the better one counts.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from sklearn.cluster import HDBSCAN
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from batch.recognition import recognise
from cluster.settings import load_settings
from serve_apps.models import load
from serve_apps.models.embedded import compose
from serve_apps.models.faces import FaceModel
from tests.benchmarks.many_faces import many_faces
from tests.sample_library.pictures import Portrait

PEOPLE, PICTURES = 40, 10
DRAWS = 5
CONFIDENCE = 0.9
out = Console(highlight=False)


class Faces(NamedTuple):
    """Faces whose people are known."""

    vectors: np.ndarray  # (N, D)
    people: np.ndarray  # (N,)
    missed: np.ndarray  # people of the pictures in which no face was found


class Guesses(NamedTuple):
    """A person and a probability for each face."""

    person: np.ndarray
    probability: np.ndarray


Way = Callable[[np.ndarray, np.ndarray], Guesses]  # of vectors and labels


def main() -> None:
    """Print both tables, or those asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.faces")
    parser.add_argument("--only", choices=["people", "many"])
    asked = parser.parse_args()
    report(asked.only)


def report(only: str | None = None) -> None:
    """Print the tables."""
    if only != "many":
        people()
    if only != "people":
        out.print(many_faces())


def people() -> None:
    """The comparison on ORL, as it is and made much smaller."""
    given = load_settings(Path("configs/embedded.yaml"))
    compose(given.weights_dir)
    model = load(given.services["face_recognition"], given.weights_dir)
    for name, shrunk in (("ORL, 40 people x 10", 1), ("the same, shrunk to 23 pixels", 4)):
        out.print(compared(name, orl(model, shrunk=shrunk)))


def orl(model: FaceModel, people: int = PEOPLE, shrunk: int = 1) -> Faces:
    """The largest face of each picture of so many ORL people by a model, as a scan finds it."""
    vectors: list[list[float]] = []
    found: list[int] = []
    missed: list[int] = []
    for person in range(people):
        pictures = [picture(person + 1, number, shrunk) for number in range(1, PICTURES + 1)]
        for faces in model.predict(pictures):
            (found if faces else missed).append(person)
            vectors.extend(face.embedding for face in faces[:1])
    return Faces(np.array(vectors, np.float32), np.array(found, np.int32), np.array(missed, np.int32))


def picture(person: int, number: int, shrunk: int) -> np.ndarray:
    """An ORL picture, enlarged; details that would be lost in a picture so much smaller are lost."""
    whole = Portrait(person, number).render()
    if shrunk > 1:
        small = whole.resize((whole.width // 4 // shrunk, whole.height // 4 // shrunk), Image.Resampling.BICUBIC)
        whole = small.resize(whole.size, Image.Resampling.BICUBIC)
    return np.asarray(whole)


def compared(name: str, faces: Faces) -> Table:
    """Both ways on the same faces, line by line, as percents."""
    table = Table(name, "the seed's way", "Brightroom", box=None, padding=(0, 2))
    table.add_row("faces not found, for both", *[f"{len(faces.missed)} of {len(faces.missed) + len(faces.people)}"] * 2)
    groups = hdbscan(faces.vectors)
    ways: list[tuple[np.ndarray, Way]] = [(groups, partial(perceptrons, groups)), (ours(faces.vectors), inferred)]
    for line, score in (("clusters, pairwise F1", pairwise), ("clusters, B-cubed F1", b_cubed)):
        table.add_row(line, *[f"{score(*with_missed(faces, groups)):.2%}" for groups, _ in ways])
    for line, known in (("", PEOPLE), (", half the people strangers", PEOPLE // 2)):
        for labels in (1, 2, 3):
            scores = [mean_scores(faces, labels, known, way) for _, way in ways]
            for measure, values in zip(MEASURES, zip(*scores, strict=True), strict=True):
                table.add_row(f"{labels} a person{line}: {measure}", *[f"{value:.2%}" for value in values])
    return table


MEASURES = ("best guess right", "inferred at 0.9 and right", "right among those inferred")


def mean_scores(faces: Faces, labels: int, known: int, way: Way) -> list[float]:
    """The means of `MEASURES` over random draws of which pictures are labeled; the first two are of known people."""
    found = [scores(faces, drawn, way(faces.vectors, drawn)) for drawn in draws(faces, labels, known)]
    right, inferred_right, trust = zip(*found, strict=True)
    wrong_none = [value for value in trust if not np.isnan(value)]
    return [float(np.mean(right)), float(np.mean(inferred_right)), float(np.mean(wrong_none)) if wrong_none else np.nan]


def draws(faces: Faces, labels: int, known: int) -> Iterator[np.ndarray]:
    """(N,) for each draw the labels: a person's index for so many faces of so many people, else -1."""
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        drawn = np.full(len(faces.people), -1, np.int32)
        for person in random.choice(np.unique(faces.people), known, replace=False):
            own = np.flatnonzero(faces.people == person)
            drawn[random.choice(own, min(labels, len(own)), replace=False)] = person
        yield drawn


def scores(faces: Faces, drawn: np.ndarray, guesses: Guesses) -> tuple[float, float, float]:
    """The measures for one draw. A picture in which no face was found is not recognised."""
    rest = drawn < 0
    known = np.isin(faces.people, drawn[~rest])
    asked = (rest & known).sum() + np.isin(faces.missed, drawn[~rest]).sum()
    right, sure = guesses.person == faces.people, guesses.probability >= CONFIDENCE
    told = (rest & sure).sum()
    trust = (rest & sure & right).sum() / told if told else np.nan
    return float((rest & right).sum() / asked), float((rest & right & sure).sum() / asked), float(trust)


def inferred(vectors: np.ndarray, labels: np.ndarray) -> Guesses:
    """Our way."""
    found = recognise(vectors, labels, np.full(len(vectors), -1, np.int32), (), CONFIDENCE)
    return Guesses(found.person, found.probability)


def ours(vectors: np.ndarray) -> np.ndarray:
    """Our clusters of faces without labels."""
    none = np.full(len(vectors), -1, np.int32)
    return recognise(vectors, none, none, (), CONFIDENCE).cluster


def hdbscan(vectors: np.ndarray) -> np.ndarray:
    """The seed system's clusters, with its parameters."""
    steps = ((100_000, 16), (10_000, 8), (1_000, 4), (-1, 2))
    size = next(size for faces, size in steps if len(vectors) > faces)
    model = HDBSCAN(min_cluster_size=size, min_samples=1, cluster_selection_epsilon=0.05, metric="euclidean", copy=True)
    return model.fit_predict(vectors)


def perceptrons(groups: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> Guesses:
    """The seed system's classifiers: one over labeled faces, one that knows clusters without a label too.

    Of their answers for a face, the one that is surer of a person counts.
    """
    known = labels >= 0
    alone = guessed(vectors[known], labels[known], vectors)
    unknown = [group for group in np.unique(groups[groups >= 0]) if not known[groups == group].any()]
    means = [vectors[groups == group].mean(axis=0) for group in unknown]
    both = guessed(
        np.concatenate([vectors[known], *[mean[None] for mean in means]]),
        np.concatenate([labels[known], -2 - np.array(unknown, np.int32)]).astype(np.int32),
        vectors,
    )
    surer = (both.probability > alone.probability) & (both.person >= 0)
    return Guesses(np.where(surer, both.person, alone.person), np.where(surer, both.probability, alone.probability))


def guessed(vectors: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> Guesses:
    """What the seed system's perceptron says of faces."""
    model = MLPClassifier(solver="adam", alpha=1e-5, random_state=1, max_iter=1000)
    with threadpool_limits(1):  # two threads only wait for each other over matrices so small
        chances = model.fit(vectors, labels).predict_proba(asked)
    return Guesses(model.classes_[chances.argmax(axis=1)], chances.max(axis=1))


def with_missed(faces: Faces, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and found groups of all pictures; a face in no group, or not found, is one of its own."""
    people = np.concatenate([faces.people, faces.missed])
    groups = np.pad(groups, (0, len(faces.missed)), constant_values=-1)
    alone = groups < 0
    return people, np.where(alone, groups.max(initial=0) + 1 + np.cumsum(alone), groups)


def pairwise(people: np.ndarray, groups: np.ndarray) -> float:
    """The F1 of pairs that are put together against pairs that belong together."""
    true, found = (np.triu(kind[:, None] == kind[None], 1) for kind in (people, groups))
    return 2 * (true & found).sum() / (true.sum() + found.sum())


def b_cubed(people: np.ndarray, groups: np.ndarray) -> float:
    """The F1 of each face's precision and recall, taken over faces."""
    true, found = (kind[:, None] == kind[None] for kind in (people, groups))
    both = (true & found).sum(axis=1)
    precision, recall = (both / found.sum(axis=1)).mean(), (both / true.sum(axis=1)).mean()
    return float(2 * precision * recall / (precision + recall))


if __name__ == "__main__":
    main()
