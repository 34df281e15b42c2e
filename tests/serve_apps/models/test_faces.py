"""Pictures to faces that tell people apart."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from serve_apps.models.protocol import Image


def vectors_of(found: list[list[Any]]) -> np.ndarray:
    return np.array([faces[0].embedding for faces in found])


def test_the_astronaut_has_a_face(faces: Any, photos: dict[str, Image]) -> None:
    """Where it is, in fractions of the picture: the box round the eyes, nose and mouth."""
    ((face,),) = faces.predict([photos["astronaut"]])

    assert np.allclose(face.box, (0.355, 0.12, 0.525, 0.34), atol=0.02)
    assert face.score > 0.99
    left, right, nose, *mouth = face.landmarks
    assert face.box[0] < left[0] < nose[0] < right[0] < face.box[2]
    assert max(left[1], right[1]) < nose[1] < min(mouth[0][1], mouth[1][1])


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "page"])
def test_where_nobody_is_no_face_is_found(name: str, faces: Any, photos: dict[str, Image]) -> None:
    """A cat's face is none."""
    assert faces.predict([photos[name]]) == [[]]


def test_a_face_is_found_in_every_portrait(orl_faces: list[list[Any]]) -> None:
    """All of ORL's people here, whatever their glasses and beards."""
    assert all(faces for faces in orl_faces)


def test_embeddings_are_of_unit_length(orl_faces: list[list[Any]]) -> None:
    """So that a dot product is a cosine."""
    assert vectors_of(orl_faces).shape[1] == 128
    assert np.allclose(np.linalg.norm(vectors_of(orl_faces), axis=1), 1, atol=1e-5)


def test_the_same_person_is_closer_than_another(orl_faces: list[list[Any]], orl: list[tuple[int, Image]]) -> None:
    """Nearly every pair of photos of a person is closer than nearly every pair of two people's."""
    vectors, people = vectors_of(orl_faces), np.array([person for person, _ in orl])
    pairs = np.triu_indices(len(people), 1)

    likeness = (vectors @ vectors.T)[pairs]

    assert roc_auc_score((people[:, None] == people)[pairs], likeness) > 0.999


def test_the_nearest_face_is_the_same_person_s(orl_faces: list[list[Any]], orl: list[tuple[int, Image]]) -> None:
    """For every portrait."""
    vectors, people = vectors_of(orl_faces), np.array([person for person, _ in orl])

    nearest = (vectors @ vectors.T - 2 * np.eye(len(people))).argmax(1)

    assert (people[nearest] == people).all()


def test_the_largest_face_comes_first(faces: Any, orl: list[tuple[int, Image]]) -> None:
    """By the area of its box, in a picture of two people."""
    small, large = orl[0][1][::2, ::2], orl[9][1]
    picture = np.concatenate([np.pad(small, ((0, len(large) - len(small)), (0, 0), (0, 0))), large], 1)

    ((first, second),) = faces.predict([picture])

    assert first.box[0] > second.box[2]


def test_the_same_picture_has_the_same_faces(
    faces: Any, orl: list[tuple[int, Image]], orl_faces: list[list[Any]]
) -> None:
    """Alone or among others, first or last."""
    ((alone,),) = faces.predict([orl[3][1]])
    among = faces.predict([orl[7][1], orl[3][1]])[1][0]

    assert np.allclose(alone.embedding, orl_faces[3][0].embedding, atol=1e-4)
    assert np.allclose(alone.box, among.box, atol=1e-4)


def test_unsure_finds_are_dropped(loaded: Callable[..., Any], photos: dict[str, Image]) -> None:
    """`min_score` is an option: nobody is as sure as that."""
    strict = loaded("faces", "embedded:dlib-resnet", options={"min_score": 1.1})

    assert strict.predict([photos["astronaut"]]) == [[]]


def test_a_face_over_the_edge_stays_within_the_picture(faces: Any, photos: dict[str, Image]) -> None:
    """Boxes are fractions between nothing and one."""
    ((face,),) = faces.predict([photos["astronaut"][:, 195:]])

    assert min(face.box) >= 0
    assert max(face.box) <= 1
    assert face.box[0] < 0.02


def test_an_empty_batch_is_no_work(faces: Any) -> None:
    """Nothing in, nothing out."""
    assert faces.predict([]) == []


@pytest.mark.gpu
def test_faces_on_cuda_are_those_of_the_cpu(
    loaded: Callable[..., Any],
    orl: list[tuple[int, Image]],
    orl_faces: list[list[Any]],
    photos: dict[str, Image],
    faces: Any,
    cosine: Callable[..., float],
) -> None:
    """The same boxes, and vectors close enough to share a table, also with pictures of unlike sizes in a batch."""
    there = loaded("faces", "embedded:dlib-resnet", gpus=0.5, gpu_memory_gb=4, dtype="float16")

    found = there.predict([*(image for _, image in orl), *photos.values()])

    here = [*orl_faces, *faces.predict(list(photos.values()))]
    assert there.device.cuda
    assert [len(each) for each in found] == [len(each) for each in here]
    ours, theirs = list(chain(*found)), list(chain(*here))
    assert np.abs(np.array([face.box for face in ours]) - [face.box for face in theirs]).max() < 0.001
    assert cosine([face.embedding for face in ours], [face.embedding for face in theirs]) > 0.999
