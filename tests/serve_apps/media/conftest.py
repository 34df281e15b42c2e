"""Files that the media tests decode: made here from a photo inside scikit-image, in every format the wheels can write.

PIL and the encoders are used to make files, never to open those that Brightroom is given.
"""

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import piexif
import pillow_heif
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from cluster.settings import MediaSettings
from serve_apps.media.box import Decoder

Pixels = NDArray[np.uint8]

HERE = Path(__file__).parent
XYZ_TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
WHITE_LEVEL = 4095
UPRIGHT_TO_STORED = {  # how a camera stores an upright picture for each EXIF orientation
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


@pytest.fixture(scope="session")
def photo() -> Pixels:
    """A photo of 360 x 240 pixels without any symmetry."""
    return np.ascontiguousarray(data.astronaut()[:240, 60:420])


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    """A decoder that all tests share which do not kill its child."""
    with Decoder(MediaSettings(), tmp_path_factory.mktemp("derived")) as shared:
        yield shared


@pytest.fixture
def misbehaving(tmp_path: Path) -> Iterator[Callable[..., Decoder]]:
    """Makes decoders whose child does harm to files marked by their names (misbehaving_child.py)."""
    made: list[Decoder] = []

    def make(**settings: Any) -> Decoder:
        child = (str(HERE / "misbehaving_child.py"),)
        made.append(Decoder(MediaSettings(**settings, child=child), tmp_path / "derived"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def marked(tmp_path: Path, jpeg_bytes: Callable[..., bytes]) -> Callable[[str], bytes]:
    """Writes the photo under a name that begins with a mark."""

    def write(mark: str) -> bytes:
        path = tmp_path / f"{mark}-photo.jpg"
        path.write_bytes(jpeg_bytes())
        return bytes(path)

    return write


@pytest.fixture(scope="session")
def jpeg_bytes(photo: Pixels) -> Callable[..., bytes]:
    """Makes a JPEG of the photo, or of other pixels, with an EXIF block, an ICC profile or an XMP packet."""

    def make(pixels: Pixels = photo, *, exif: bytes = b"", icc: bytes | None = None, xmp: bytes = b"") -> bytes:
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(out, "JPEG", quality=92, exif=exif, icc_profile=icc)
        whole = out.getvalue()
        if not xmp:
            return whole
        body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
        return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + whole[2:]

    return make


@pytest.fixture(scope="session")
def exif_bytes() -> Callable[..., bytes]:
    """Makes an EXIF block by piexif from its three lists, and an orientation."""

    def make(zeroth: dict[int, Any] | None = None, exif: Any = None, gps: Any = None, orientation: int = 0) -> bytes:
        turned = {274: orientation} if orientation else {}
        return bytes(piexif.dump({"0th": {**turned, **(zeroth or {})}, "Exif": exif or {}, "GPS": gps or {}}))

    return make


@pytest.fixture(scope="session")
def vips_image() -> Callable[..., pyvips.Image]:
    """Makes a libvips image of pixels, in a colour space."""

    def make(pixels: NDArray[Any], interpretation: str = "srgb") -> pyvips.Image:
        return pyvips.Image.new_from_array(pixels).copy(interpretation=interpretation)

    return make


@pytest.fixture(scope="session")
def profile(vips_image: Callable[..., pyvips.Image], photo: Pixels) -> Callable[[str], bytes]:
    """The ICC profile that libvips calls `srgb`, `p3` or `cmyk`."""
    return lambda name: bytes(vips_image(photo).icc_export(output_profile=name).get("icc-profile-data"))


@pytest.fixture(scope="session")
def samples(
    tmp_path_factory: pytest.TempPathFactory, photo: Pixels, jpeg_bytes: Any, vips_image: Any
) -> dict[str, Path]:
    """The photo as a file of every format that can be written here, by the name Brightroom has for the format."""
    folder = tmp_path_factory.mktemp("samples")
    paths = {
        name: folder / f"photo.{name}"
        for name in ["jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "bmp", "jp2", "dng"]
    }
    image = vips_image(photo)
    paths["jpeg"].write_bytes(jpeg_bytes())
    paths["png"].write_bytes(image.pngsave_buffer())
    paths["webp"].write_bytes(image.webpsave_buffer(Q=90))
    paths["gif"].write_bytes(image.gifsave_buffer())
    paths["tiff"].write_bytes(image.tiffsave_buffer())
    paths["avif"].write_bytes(image.heifsave_buffer(compression="av1", Q=80, effort=0))
    pillow_heif.from_pillow(Image.fromarray(photo)).save(paths["heic"], quality=90)
    cv2.imwrite(str(paths["bmp"]), photo[..., ::-1])
    cv2.imwrite(str(paths["jp2"]), photo[..., ::-1])
    write_dng(paths["dng"], photo)
    return paths


def write_dng(path: Path, photo: Pixels, orientation: int = 1, xmp: bytes = b"") -> None:
    """Write an uncompressed Bayer DNG of a photo, without a preview."""
    linear = (photo / 255.0) ** 2.2 * WHITE_LEVEL
    mosaic = np.empty(photo.shape[:2], np.uint16)
    for row, column, band in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = linear[row::2, column::2, band]
    matrix = [part for value in XYZ_TO_SRGB for part in (round(value * 10000), 10000)]
    tags: list[tuple[Any, ...]] = [
        (271, "s", 0, "ACME", True), (272, "s", 0, "Bayer 1", True), (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes((0, 1, 1, 2)), True),
        (50706, "B", 4, bytes((1, 4, 0, 0)), True), (50708, "s", 0, "ACME Bayer 1", True),
        (50717, "H", 1, WHITE_LEVEL, True), (50721, "2i", 9, matrix, True), (50728, "2I", 3, [1, 1] * 3, True),
        (50778, "H", 1, 21, True), *([(700, "B", len(xmp), xmp, True)] if xmp else []),
    ]  # fmt: skip
    tifffile.imwrite(
        path, mosaic, photometric=32803, planarconfig=1, metadata=None, datetime="2024:05:06 07:08:09", extratags=tags
    )


@pytest.fixture(scope="session")
def dng() -> Callable[..., None]:
    """Writes a DNG of a photo to a path, for an orientation."""
    return write_dng


@pytest.fixture(scope="session")
def movie() -> Callable[..., Path]:
    """Writes a video of frames (a list of pixels) to a path, with metadata, ten frames a second unless said."""

    def make(path: Path, frames: list[Pixels], keys: Any = None, codec: str = "libx264", rate: int = 10) -> Path:
        options = {"movflags": "use_metadata_tags"} if path.suffix.lower() in (".mov", ".mp4") else {}
        with av.open(str(path), "w", options=options) as container:
            container.metadata.update(keys or {})
            stream: Any = container.add_stream(codec, rate=rate)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path

    return make


@pytest.fixture(scope="session")
def stored_as() -> dict[int, Callable[[Pixels], Pixels]]:
    """For each EXIF orientation, how a camera stores an upright picture."""
    return UPRIGHT_TO_STORED


@pytest.fixture(scope="session")
def far_apart() -> Callable[[Pixels, Pixels], float]:
    """The mean difference of two pictures of the same size, in levels of 255."""

    def measure(one: Pixels, other: Pixels) -> float:
        assert one.shape == other.shape
        return float(np.abs(one.astype(int) - other.astype(int)).mean())

    return measure
