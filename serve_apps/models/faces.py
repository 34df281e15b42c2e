"""Pictures to faces: find them, align each by its landmarks, and turn it into a vector that tells people apart.

Who a face belongs to is not decided here.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from cluster.settings import ModelSpec
from serve_apps.models.alignment import aligned
from serve_apps.models.clip import unit_rows
from serve_apps.models.device import Device
from serve_apps.models.face_networks import face_network
from serve_apps.models.mtcnn import Found, Mtcnn
from serve_apps.models.protocol import DetectedFace, Embedding, Image


class FaceModel:
    """MTCNN, alignment, and the network the checkpoint names.

    Options: `min_score` (0.95) below which a find is dropped, `min_face_px` (20) the smallest face looked for.
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.device = Device.of(spec)
        self.min_score = float(spec.options.get("min_score", 0.95))
        self.detector = Mtcnn(self.device, int(spec.options.get("min_face_px", 20)))
        self.network = face_network(spec, weights)
        self.device.place(self.network.module, channels_last=True)

    def predict(self, batch: Sequence[Image]) -> list[list[DetectedFace]]:
        """The faces of each picture, the largest first."""
        found = [self.kept(faces) for faces in self.detector.find(batch)]
        chips = [
            aligned(image, face.points, self.network.template, self.network.size_px)
            for image, faces in zip(batch, found, strict=True)
            for face in faces
        ]
        vectors = iter(self.embed(chips))
        return [
            [detected(face, image, next(vectors)) for face in faces] for image, faces in zip(batch, found, strict=True)
        ]

    def kept(self, faces: Sequence[Found]) -> list[Found]:
        """The faces the detector is sure enough of, the largest first."""
        sure = [face for face in faces if face.score >= self.min_score]
        return sorted(sure, key=lambda face: (-area(face), *face.box.tolist()))

    def embed(self, chips: Sequence[Image]) -> list[Embedding]:
        """The vector of unit length of each aligned face."""
        vectors: list[Embedding] = []
        for part in self.device.batches(chips):
            faces = self.device.put(torch.from_numpy(np.stack(part))).permute(0, 3, 1, 2)
            with self.device.inference():
                vectors.extend(unit_rows(self.network(faces)))
        return vectors


def area(face: Found) -> float:
    """The area of a face's box, in square pixels."""
    left, top, right, bottom = face.box.tolist()
    return float((right - left) * (bottom - top))


def detected(face: Found, image: Image, vector: Embedding) -> DetectedFace:
    """A face in fractions of its picture; a box that reaches beyond the edge is cut there."""
    height, width = image.shape[:2]
    left, top, right, bottom = np.clip(face.box / (width, height, width, height), 0, 1).tolist()
    landmarks = tuple((float(x) / width, float(y) / height) for x, y in face.points)
    return DetectedFace((left, top, right, bottom), min(face.score, 1.0), landmarks, vector.tolist())
