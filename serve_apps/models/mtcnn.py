"""Find faces: the three networks of facenet-pytorch's MTCNN, in a cascade of our own.

The faces are those of `facenet_pytorch.MTCNN.detect`. Unlike there, pictures of several sizes go through together,
crops are cut without a loop over candidates, a candidate beyond the edge is dropped rather than raised about, and
plain arrays come back. Whose face it is, is not asked here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import batched_nms

from serve_apps.models.area_means import AreaMeans
from serve_apps.models.device import Device
from serve_apps.models.protocol import Image

SHRINK = 0.709  # from one picture of the pyramid to the next
CELL_PX, STRIDE_PX = 12, 2  # what the first network sees at a place, and how far its places are apart
SURE = (0.6, 0.7, 0.7)  # a candidate's score after each network
CROPS_AT_ONCE = 1024


@dataclass(frozen=True)
class Found:
    """A face in a picture, in its pixels."""

    box: NDArray[np.float32]  # (4,) left, top, right, bottom
    score: float  # 0..1
    points: NDArray[np.float32]  # (5, 2) eyes, nose, mouth corners


@dataclass(frozen=True)
class Candidates:
    """What may be faces, of a batch of pictures."""

    owner: Tensor  # (K,) place of the picture in its batch
    boxes: Tensor  # (K, 4) px
    scores: Tensor  # (K,)

    def kept(self, which: Tensor) -> "Candidates":
        """Those of a mask or of indices."""
        return Candidates(self.owner[which], self.boxes[which], self.scores[which])

    def apart(self, overlap: float) -> Tensor:
        """The indices of those that remain when of two overlapping ones of a picture the surer stays."""
        kept: Tensor = batched_nms(self.boxes, self.scores, self.owner, overlap)
        return kept

    def moved(self, shifts: Tensor, pixel: int) -> "Candidates":
        """With each side moved by a share (K, 4) of the box's size, which counts `pixel` more than the difference."""
        size = self.boxes[:, 2:] - self.boxes[:, :2] + pixel
        return Candidates(self.owner, self.boxes + shifts * size.repeat(1, 2), self.scores)

    def squared(self) -> "Candidates":
        """With each box made a square round its middle."""
        middle = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        half = (self.boxes[:, 2:] - self.boxes[:, :2]).amax(1, keepdim=True) / 2
        return Candidates(self.owner, torch.cat([middle - half, middle + half], 1), self.scores)


class Mtcnn:
    """The detector; always float32, its networks are small and its boxes exact."""

    def __init__(self, device: Device, min_face_px: int) -> None:
        self.device = device
        self.min_face_px = min_face_px
        # a batch of pictures gains nothing on a CPU but peak memory
        self.at_once = device.batch_size if device.cuda else 1
        self.first, self.second, self.third = (device.place(net(), channels_last=True) for net in (PNet, RNet, ONet))

    def find(self, images: Sequence[Image]) -> list[list[Found]]:
        """The faces of each picture, in no order; none in a picture smaller than the smallest face looked for."""
        faces: list[list[Found]] = [[] for _ in images]
        large = [place for place, image in enumerate(images) if min(image.shape[:2]) >= self.min_face_px]
        for start in range(0, len(large), self.at_once):
            part = large[start : start + self.at_once]
            with torch.inference_mode():
                for owner, face in self.cascade(AreaMeans([images[place] for place in part], self.device)):
                    faces[part[owner]].append(face)
        return faces

    def cascade(self, pictures: AreaMeans) -> Iterator[tuple[int, Found]]:
        """The faces of a batch of pictures, each with the place of its picture."""
        candidates, points = self.finished(pictures, self.refined(pictures, self.proposed(pictures)))
        owners, scores = candidates.owner.tolist(), candidates.scores.tolist()
        boxes, marks = candidates.boxes.cpu().numpy(), points.cpu().numpy()
        for place in set(owners):
            mine = np.array([n for n, owner in enumerate(owners) if owner == place])
            for n in mine[outermost(boxes[mine], [scores[n] for n in mine])]:
                yield place, Found(boxes[n], scores[n], marks[n])

    def proposed(self, pictures: AreaMeans) -> Candidates:
        """What the first network, sliding over a pyramid of sizes, takes for faces."""
        sizes = defaultdict(list)
        for place, size in enumerate(pictures.sizes):
            sizes[size].append(place)
        levels = [
            self.level(pictures, torch.tensor(places, device=self.device.name), size, scale)
            for size, places in sizes.items()
            for scale in self.scales(size)
        ]
        columns = zip(*((each.owner, each.boxes, each.scores) for each, _ in levels), strict=True)
        joined = Candidates(*(torch.cat(column) for column in columns))
        shifts = torch.cat([shift for _, shift in levels])
        kept = joined.apart(0.7)
        return joined.kept(kept).moved(shifts[kept], pixel=0)

    def scales(self, size: tuple[int, int]) -> list[float]:
        """The scales of the pyramid: from the smallest face filling a cell to the picture filling one."""
        scale = CELL_PX / self.min_face_px
        scales = []
        while min(size) * scale >= CELL_PX:
            scales.append(scale)
            scale *= SHRINK
        return scales

    def level(
        self, pictures: AreaMeans, places: Tensor, size: tuple[int, int], scale: float
    ) -> tuple[Candidates, Tensor]:
        """The candidates of one scale of pictures of one size, and the shifts (K, 4) still to be made."""
        height, width = size
        whole = torch.tensor([0, 0, width, height], device=places.device).expand(len(places), 4)
        shifts, likely = self.first(normal(pictures(places, whole, int(height * scale + 1), int(width * scale + 1))))
        mask = likely[:, 1] >= SURE[0]
        picture, row, column = mask.nonzero().T
        corner = torch.stack([column, row], 1) * STRIDE_PX + 1.0
        boxes = torch.cat([corner / scale, (corner + (CELL_PX - 1)) / scale], 1).floor()
        candidates = Candidates(places[picture], boxes, likely[:, 1][mask])
        kept = candidates.apart(0.5)
        return candidates.kept(kept), shifts.permute(0, 2, 3, 1)[mask][kept]

    def refined(self, pictures: AreaMeans, candidates: Candidates) -> Candidates:
        """Those that the second network, seeing each alone, takes for faces."""
        candidates, regions = within(pictures, candidates.squared())
        if not len(regions):
            return candidates
        shifts, likely = self.seen(self.second, pictures, candidates, regions, 24)
        sure = likely[:, 1] > SURE[1]
        candidates = Candidates(candidates.owner, candidates.boxes, likely[:, 1]).kept(sure)
        kept = candidates.apart(0.7)
        return candidates.kept(kept).moved(shifts[sure][kept], pixel=1)

    def finished(self, pictures: AreaMeans, candidates: Candidates) -> tuple[Candidates, Tensor]:
        """Those that the third network takes for faces, and their landmarks (K, 5, 2) px."""
        candidates, regions = within(pictures, candidates.squared())
        if not len(regions):
            return candidates, torch.zeros(0, 5, 2)
        shifts, marks, likely = self.seen(self.third, pictures, candidates, regions, 48)
        sure = likely[:, 1] > SURE[2]
        candidates = Candidates(candidates.owner, candidates.boxes, likely[:, 1]).kept(sure)
        size = (candidates.boxes[:, 2:] - candidates.boxes[:, :2] + 1)[:, None]
        shares = marks[sure].view(-1, 2, 5).transpose(1, 2)  # five across, then five down
        return candidates.moved(shifts[sure], pixel=1), shares * size + candidates.boxes[:, None, :2] - 1

    def seen(
        self, network: nn.Module, pictures: AreaMeans, candidates: Candidates, regions: Tensor, side_px: int
    ) -> list[Tensor]:
        """A network's outputs for the region (K, 4) of each candidate, shrunk or grown to a square."""
        parts = [slice(start, start + CROPS_AT_ONCE) for start in range(0, len(regions), CROPS_AT_ONCE)]
        crops = (pictures(candidates.owner[part], regions[part], side_px, side_px) for part in parts)
        outputs = [network(normal(crop)) for crop in crops]
        return [torch.cat(output) for output in zip(*outputs, strict=True)]


def within(pictures: AreaMeans, candidates: Candidates) -> tuple[Candidates, Tensor]:
    """The candidates that lie in their pictures at all, and the part (K, 4) of each that does."""
    regions = pictures.regions(candidates.owner, candidates.boxes)
    inside = (regions[:, 2:] > regions[:, :2]).all(1)
    return candidates.kept(inside), regions[inside]


def normal(pixels: Tensor) -> Tensor:
    """Values of 0..255 as the networks were trained on."""
    return (pixels - 127.5) / 128


def outermost(boxes: NDArray[np.float32], scores: Sequence[float]) -> list[int]:
    """The indices of the boxes of one picture that remain when one that lies in a surer one goes."""
    kept: list[int] = []
    for n in sorted(range(len(scores)), key=lambda n: -scores[n]):
        if all(shared(boxes[n], boxes[other]) <= 0.7 for other in kept):
            kept.append(n)
    return kept


def shared(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The share of the smaller of two boxes that lies in the other."""
    width, height = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) + 1, 0)
    return float(width * height / min(np.prod(a[2:] - a[:2] + 1), np.prod(b[2:] - b[:2] + 1)))
