"""Faces cut out so that their landmarks lie where a network expects them."""

import numpy as np
import pytest

from serve_apps.models.alignment import aligned, similarity

TEMPLATE = np.array([[46, 47], [102, 47], [74, 77], [49, 105], [99, 105]], np.float32)


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (scale * points @ turn.T + shift).astype(np.float32)


def dotted(points: np.ndarray, size: tuple[int, int], radius: float) -> np.ndarray:
    """A black picture with a round white dot at each point."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    distances = [np.hypot(columns - x, rows - y) for x, y in points]
    return np.repeat((np.min(distances, 0) <= radius)[..., None], 3, 2).astype(np.uint8) * 255


@pytest.mark.parametrize(("degrees", "scale", "shift"), [(0, 1, (0, 0)), (30, 2.5, (200, 90)), (-75, 0.4, (50, 120))])
def test_a_similarity_is_found_again(degrees: float, scale: float, shift: tuple[float, float]) -> None:
    """Points that were turned, scaled and moved come back to where they were."""
    points = turned(TEMPLATE, degrees, scale, shift)

    matrix = similarity(points, TEMPLATE)

    back = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - TEMPLATE).max() < 1e-3


def test_a_face_is_never_mirrored() -> None:
    """Landmarks in mirror order are turned as well as they can be, not flipped."""
    mirrored = TEMPLATE * (-1, 1) + (150, 0)

    matrix = similarity(mirrored.astype(np.float32), TEMPLATE)

    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (20, 1.5), (-35, 2.2), (10, 4.3), (180, 6.0)])
def test_the_eyes_are_put_where_they_belong(degrees: float, scale: float) -> None:
    """Whatever the size and turn of a face, each of its landmarks ends within a pixel of the template's."""
    points = turned(TEMPLATE - 75, degrees, scale, (600, 600))

    for place, point in enumerate(points):
        chip = aligned(dotted(point[None], (1200, 1200), 3 * scale), points, TEMPLATE, 150)
        weight = chip[..., 0].astype(float)
        rows, columns = np.mgrid[:150, :150]
        middle = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
        assert np.abs(middle - TEMPLATE[place]).max() < 1


def test_a_large_face_is_averaged_rather_than_sampled() -> None:
    """A fine chequerboard becomes grey, not noise, when a face shrinks to the network's size."""
    board = np.repeat((np.indices((1200, 1200)).sum(0) % 2)[..., None], 3, 2).astype(np.uint8) * 255
    points = turned(TEMPLATE - 75, 7, 6.0, (600, 600))

    chip = aligned(board, points, TEMPLATE, 150)

    assert np.abs(chip.astype(int) - 127).max() < 30


@pytest.mark.parametrize("scale", [0.5, 5.0])
def test_a_face_over_the_edge_is_filled_with_its_border(scale: float) -> None:
    """No black corners: the pixels at the edge go on."""
    white = np.full((300, 300, 3), 255, np.uint8)

    chip = aligned(white, turned(TEMPLATE - 75, 15, scale, (10, 290)), TEMPLATE, 150)

    assert chip.shape == (150, 150, 3)
    assert chip.min() == 255


def test_landmarks_on_one_spot_do_no_harm() -> None:
    """A nonsensical face becomes a picture of some kind, not an exception."""
    chip = aligned(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 20, np.float32), TEMPLATE, 150)

    assert chip.shape == (150, 150, 3)
