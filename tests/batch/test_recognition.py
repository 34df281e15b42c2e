"""Who is who: persons by likeness to named faces, and that answers stay as they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.recognition import Recognised, candidates
from tests.batch.faces_of_people import CONFIDENCE, faces, first_named, nobody, parts, run, same


@pytest.mark.parametrize(("width", "blur"), [(16, 0.15), (128, 0.3), (128, 0.6), (512, 0.8)])
def test_unnamed_faces_are_put_together_by_person_whatever_the_scale_of_the_vectors(width: int, blur: float):
    """Vectors of few or many numbers, of close or loose people: a cluster is a person."""
    vectors, people = faces(12, 8, width, blur)

    found = run(vectors, nobody(vectors))

    assert parts(found.cluster) == parts(people)
    assert (found.person == -1).all()
    assert (found.probability == 0).all()


def test_one_named_face_of_a_person_tells_the_others():
    """With one label each, all other faces have their person for certain, and no face is left for a cluster."""
    vectors, people = faces(12, 8)

    found = run(vectors, first_named(people))

    assert (found.person == people).all()
    assert (found.probability >= CONFIDENCE).all()
    assert (found.cluster == -1).all()


def test_strangers_are_given_to_nobody_for_certain():
    """Faces of people whom nobody named form clusters of their own."""
    vectors, people = faces(12, 8)
    labels = first_named(people)
    labels[people >= 6] = -1

    found = run(vectors, labels)

    strangers = people >= 6
    assert (found.probability[strangers] < CONFIDENCE).all()
    assert parts(found.cluster) == parts(np.where(strangers, people, -1))


def test_a_person_may_look_in_two_ways():
    """A child and the grown-up it became, both named: faces like either are that person's, and nobody's between."""
    vectors, people = faces(12, 8)
    both = np.where(people == 1, 0, people).astype(np.int32)
    labels = first_named(people)
    labels[labels == 1] = 0

    found = run(vectors, labels)

    assert (found.person == both).all()


@given(seed=st.integers(0, 10_000), wrong=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 7)), max_size=12))
@settings(max_examples=30, deadline=None)
def test_labels_stay(seed: int, wrong: list[tuple[int, int]]):
    """Whatever people say, also that a face is whose it is not: a labeled face keeps its label with probability 1."""
    vectors, _ = faces(8, 5, 32, 0.8, seed)
    labels = nobody(vectors)
    for face, person in wrong:
        labels[face] = person

    found = run(vectors, labels, rejected=wrong)

    assert (found.person[labels >= 0] == labels[labels >= 0]).all()
    assert (found.probability[labels >= 0] == 1).all()
    assert (found.cluster[labels >= 0] == -1).all()


@given(seed=st.integers(0, 10_000), pairs=st.sets(st.tuples(st.integers(0, 39), st.integers(0, 7)), max_size=60))
@settings(max_examples=30, deadline=None)
def test_a_rejected_person_is_never_given_again(seed: int, pairs: set[tuple[int, int]]):
    """Not by likeness and not by way of other faces; the next best person may be."""
    vectors, people = faces(8, 5, 32, 0.5, seed)
    labels = first_named(people)

    found = run(vectors, labels, rejected=pairs)

    given_away = {(face, int(found.person[face])) for face in np.flatnonzero(labels < 0)}
    assert not given_away & pairs


def test_a_face_that_may_be_nobody_s_is_nobody_s():
    """With every person rejected there is none left, and the probability is nought."""
    vectors, people = faces(3, 6)

    found = run(vectors, first_named(people), rejected=[(5, 0), (5, 1), (5, 2)])

    assert found.person[5] == -1
    assert found.probability[5] == 0


@given(seed=st.integers(0, 10_000), blur=st.floats(0.1, 1.2), named=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_second_run_on_the_first_one_s_answer_changes_nothing(seed: int, blur: float, named: bool):
    """Persons, probabilities and numbers of clusters are as they were."""
    vectors, people = faces(9, 6, 24, blur, seed)
    labels = np.where(people < 4, first_named(people), -1).astype(np.int32) if named else nobody(vectors)

    first = run(vectors, labels)

    assert same(run(vectors, labels), first)
    assert same(run(vectors, labels, first.cluster), first)


@given(seed=st.integers(0, 10_000), blur=st.floats(0.1, 1.2))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_faces_does_not_matter(seed: int, blur: float):
    """Shuffled faces get what they got before, bit by bit."""
    vectors, people = faces(9, 6, 24, blur, seed)
    labels = np.where(people < 4, first_named(people), -1).astype(np.int32)
    order = np.random.default_rng(seed).permutation(len(vectors))
    place = np.argsort(order)
    rejected = [(7, 1), (20, 3)]

    found = run(vectors, labels, rejected=rejected)
    shuffled = run(vectors[order], labels[order], rejected=[(int(place[face]), person) for face, person in rejected])

    assert same(shuffled, Recognised(*(column[order] for column in found)))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("named", [False, True])
def test_hardly_any_faces_are_no_trouble(count: int, named: bool):
    """None, one and two faces, with a label and without."""
    vectors = faces(2, 1)[0][:count]
    labels = nobody(vectors)
    labels[:1] = 3 if named else -1

    found = run(vectors, labels)

    assert [len(column) for column in found] == [count] * 3
    assert (found.cluster == -1).all()
    assert (found.person[:1] == labels[:1]).all()


def test_one_label_alone_gives_its_person_to_whom_it_is_like():
    """The only person named does not get everybody."""
    vectors, people = faces(5, 6)
    labels = nobody(vectors)
    labels[6] = 0

    found = run(vectors, labels)

    assert np.array_equal(found.probability >= CONFIDENCE, people == 1)


def test_people_who_look_alike_are_not_told_for_certain():
    """A face in the middle between two named people has neither for certain."""
    vectors, people = faces(8, 6)
    middle = vectors[0] + vectors[6]
    vectors = np.concatenate([vectors, middle[None] / np.linalg.norm(middle)]).astype(np.float32)
    labels = np.concatenate([first_named(people), [-1]]).astype(np.int32)

    found = run(vectors, labels)

    assert found.person[-1] in (0, 1)
    assert found.probability[-1] < CONFIDENCE


def test_the_best_persons_for_a_face_come_with_their_probabilities():
    """Best first, no more than asked for, none that was rejected; the chances sum to one at most."""
    vectors, people = faces(8, 6)
    labels = first_named(people)

    best = candidates(vectors[13], vectors, labels, (), 3)
    without = candidates(vectors[13], vectors, labels, {2}, 8)

    assert best[0][0] == 2
    assert best[0][1] > CONFIDENCE
    assert len(best) == 3
    assert sorted((chance for _, chance in best), reverse=True) == [chance for _, chance in best]
    assert sum(chance for _, chance in best) <= 1 + 1e-6
    assert 2 not in dict(without)
    assert len(without) == 7
    assert candidates(vectors[13], vectors, nobody(vectors), (), 3) == []
