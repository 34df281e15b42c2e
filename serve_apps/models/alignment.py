"""Cut a face out of a picture so that its eyes, nose and mouth lie where a network expects them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from serve_apps.models.protocol import Image

Points = NDArray[np.float32]  # (5, 2) px


def aligned(image: Image, points: Points, template: Points, size_px: int) -> Image:
    """The face with these landmarks, turned, scaled and moved onto the template: (size, size, 3)."""
    matrix = similarity(points, template)
    shrink = int(1 / max(np.hypot(matrix[0, 0], matrix[1, 0]), 1e-6))
    if shrink >= 2:
        # a bilinear warp to less than half the size would skip pixels: take their mean first
        image, points = shrunk_around(image, points, shrink)
        matrix = similarity(points, template)
    size = (size_px, size_px)
    chip: Image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return chip


def similarity(points: Points, template: Points) -> NDArray[np.float64]:
    """(2, 3) the rotation, scale and shift, without mirroring, that brings points closest to a template."""
    a, b = points.astype(np.float64) - points.mean(0), template.astype(np.float64) - template.mean(0)
    spread = float((a * a).sum())
    if spread < 1e-6:  # five landmarks on one spot say nothing of size and turn
        return np.column_stack([np.eye(2), template.mean(0) - points.mean(0)])
    cosine = float((a * b).sum()) / spread  # times the scale, as is the sine
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, template.mean(0) - turn @ points.mean(0)])


def shrunk_around(image: Image, points: Points, shrink: int) -> tuple[Image, Points]:
    """The picture near the landmarks at a whole fraction of its size, and the landmarks in it."""
    reach = 2 * int(np.ptp(points, axis=0).max()) + shrink
    left, top = np.maximum(points.min(0).astype(int) - reach, 0)
    right, bottom = points.max(0).astype(int) + reach
    near = image[top:bottom, left:right]
    height, width = near.shape[0] // shrink, near.shape[1] // shrink
    small = cv2.resize(near[: height * shrink, : width * shrink], (width, height), interpolation=cv2.INTER_AREA)
    # pixel centres: the middle of `shrink` pixels is at (shrink - 1) / 2 of them
    return small, ((points - (left, top) - (shrink - 1) / 2) / shrink).astype(np.float32)
