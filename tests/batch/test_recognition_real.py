"""Real faces by the embedded model: people are found among them, and a probability is as good as its word."""

from pathlib import Path

import numpy as np
import pytest

from cluster.settings import ModelSpec
from serve_apps.models.faces import FaceModel
from tests.batch.faces_of_people import nobody, run
from tests.benchmarks.faces import Faces, b_cubed, draws, hdbscan, orl, pairwise, with_missed

PEOPLE = 8


@pytest.fixture(scope="module")
def faces(weights: Path) -> Faces:
    """Ten pictures each of some people."""
    spec = ModelSpec(kind="faces", checkpoint="embedded:dlib-resnet", cpus=1, batch_size=16)
    return orl(FaceModel(spec, weights), PEOPLE)


def test_real_faces_are_put_together_by_person_better_than_the_seed_system_does(faces: Faces):
    """By both measures, without a single label."""
    ours = with_missed(faces, run(faces.vectors, nobody(faces.vectors)).cluster)
    theirs = with_missed(faces, hdbscan(faces.vectors))

    assert pairwise(*ours) > max(0.95, pairwise(*theirs))
    assert b_cubed(*ours) > max(0.95, b_cubed(*theirs))


@pytest.mark.parametrize("labels", [1, 2])
@pytest.mark.parametrize("known", [PEOPLE, PEOPLE // 2])
def test_nine_in_ten_of_the_faces_given_a_person_at_nine_tenths_are_right(faces: Faces, labels: int, known: int):
    """Also where half of the people are strangers; and most faces of the known are given theirs."""
    right, told, asked = 0, 0, 0
    for drawn in draws(faces, labels, known):
        found = run(faces.vectors, drawn)
        sure = (drawn < 0) & (found.probability >= 0.9)
        right += int((found.person == faces.people)[sure].sum())
        told += int(sure.sum())
        asked += int(((drawn < 0) & np.isin(faces.people, drawn)).sum())

    assert right >= 0.9 * told
    assert told >= 0.8 * asked
