"""Faces nobody has named: put together by likeness at a scale that is learnt, under numbers that last."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.clusters import grouped, merged, nearest
from batch.likeness import Likeness, measured
from tests.batch.faces_of_people import faces, nobody, parts, run


def test_a_cluster_that_comes_apart_keeps_its_number_where_most_of_its_faces_are():
    """Two people were in one cluster: the larger part keeps the number, the smaller gets a new one."""
    vectors, people = faces(6, 8)
    merged_before = people.copy()
    merged_before[(people == 1) & (np.arange(len(people)) % 8 < 3)] = 0  # 8 faces of one person, 3 of another

    after = run(vectors, nobody(vectors), merged_before).cluster

    assert parts(after) == parts(people)
    assert (after[people == 0] == 0).all()
    assert (after[people == 1] == 1).all()


def test_clusters_that_become_one_keep_the_number_of_the_larger():
    """One person was in two clusters."""
    vectors, people = faces(6, 8)
    halves = people.copy()
    halves[(people == 2) & (np.arange(len(people)) % 8 < 3)] = 77

    after = run(vectors, nobody(vectors), halves).cluster

    assert np.array_equal(after, people)


def test_new_faces_join_the_clusters_of_theirs():
    """Old faces keep their numbers; new people get numbers above them."""
    vectors, people = faces(12, 8)
    old = (people < 9) & (np.arange(len(people)) % 8 < 5)
    before = run(vectors[old], nobody(vectors[old])).cluster
    known = nobody(vectors)
    known[old] = before + 40

    after = run(vectors, nobody(vectors), known).cluster

    assert (after[old] == known[old]).all()
    assert parts(after) == parts(people)
    assert set(after[people >= 9]) == {49, 50, 51}


def test_faces_that_got_a_person_leave_their_cluster_and_the_others_stay():
    """Naming one face of a cluster takes that person's faces out; all other numbers stay."""
    vectors, people = faces(6, 8)
    before = run(vectors, nobody(vectors)).cluster
    labels = nobody(vectors)
    labels[0] = 0

    after = run(vectors, labels, before)

    assert (after.cluster == np.where(people == 0, -1, before)).all()


def test_a_picture_that_is_there_many_times_is_one_cluster():
    """A thousand equal vectors beside other people's faces."""
    vectors, people = faces(5, 6)
    vectors = np.concatenate([vectors, np.repeat(vectors[:1], 1000, axis=0)])

    found = run(vectors, nobody(vectors))

    assert parts(found.cluster) == parts(np.concatenate([people, np.zeros(1000, np.int32)]))


def test_the_scale_of_the_vectors_is_learnt_from_them():
    """What is measured is what the pairs are: the mean distances of one person's and of two people's faces."""
    vectors, people = faces(30, 10, 64, 0.6)
    alike = people[:, None] == people[None]
    distances = np.sqrt(np.maximum(0, 2 - 2 * vectors @ vectors.T))
    one = distances[np.triu(alike, 1)].mean()
    two = distances[~alike].mean()

    found = measured(vectors, nobody(vectors))

    assert found.same == pytest.approx(one, rel=0.05)
    assert found.other == pytest.approx(two, rel=0.05)
    assert one < np.sqrt(2 - 2 * found.cut) < two


def test_faces_of_different_people_only_are_not_put_together():
    """Forty strangers are forty people, though nothing tells what one person's pictures would look like."""
    vectors, _ = faces(40, 1)

    assert (run(vectors, nobody(vectors)).cluster == -1).all()


def test_labels_tell_the_scale_where_there_is_only_one_person():
    """Faces all about as far apart, two of them named alike: the others are that person's as well."""
    vectors, _ = faces(1, 10)
    labels = nobody(vectors)
    labels[:2] = 0

    assert (run(vectors, labels).person == 0).all()
    assert measured(vectors, labels).other > 1.5 * measured(vectors, nobody(vectors)).other


def test_evidence_rises_with_likeness():
    """No spread makes a nearer face speak less for a person."""
    cosines = np.linspace(-1, 1, 401)
    for spreads in ((0.05, 0.1), (0.1, 0.05), (0.1, 0.1)):
        evidence = Likeness(0.3, spreads[0], 0.8, spreads[1], 0.02).evidence(cosines)
        assert (np.diff(evidence) >= -1e-4).all()


@given(seed=st.integers(0, 10_000), cut=st.floats(0.2, 0.9))
@settings(max_examples=40, deadline=None)
def test_groups_are_those_of_average_linkage(seed: int, cut: float):
    """Merging all mutual neighbours at once ends as merging the nearest pair again and again does."""
    vectors, _ = faces(10, 6, 8, 0.6, seed)
    groups = np.eye(len(vectors))  # a row for each group, with a one for each of its faces
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    while len(groups) > 1:
        means = groups @ cosines @ groups.T / np.outer(groups.sum(1), groups.sum(1))
        np.fill_diagonal(means, -2)
        one, two = sorted(np.unravel_index(means.argmax(), means.shape))
        if means[one, two] < cut:
            break
        groups[one] += groups[two]
        groups = np.delete(groups, two, 0)

    found = grouped(vectors, nobody(vectors), cut)

    assert parts(found) == {frozenset(np.flatnonzero(group).tolist()) for group in groups}


def test_more_groups_than_neighbours_are_kept_are_merged_all_the_same():
    """Hundreds of faces of one person, of whom only the nearest few are known at a time."""
    vectors, people = faces(3, 700, 64, 0.5)

    ends = merged(vectors.copy(), np.ones(len(vectors), np.float32), measured(vectors, nobody(vectors)).cut)

    assert parts(ends) == parts(people)


def test_the_nearest_are_found_in_blocks():
    """Thousands of columns are looked at by their highest, and none is missed."""
    vectors, _ = faces(50, 101, 16, 0.9)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)

    near = nearest(vectors, 8)

    assert np.sort(near.cosines, axis=1) == pytest.approx(np.sort(cosines, axis=1)[:, -8:], abs=1e-5)
    assert (near.bound <= near.cosines.min(axis=1)).all()
