"""BMP and JPEG 2000 by OpenCV, which the libvips of the wheel has no trusted loader for.

Leaves out alpha, which BMP files rarely mean.
"""

import struct

import numpy as np

from cluster.errors import Unreadable
from serve_apps.media.picture import UPRIGHT, Image, Picture, must_fit

OLD_HEADER = 12  # bytes of the OS/2 header, whose numbers are shorter
HEADER_ROOM = 4096  # bytes in which JPEG 2000 says its size


def decode(data: bytes, format: str, max_pixels: int) -> Picture:
    """A whole BMP or JPEG 2000 picture; raises Unreadable, TooLarge."""
    damaged = Unreadable(f"this {format.upper()} cannot be decoded; restore it from a backup")
    try:
        width, height = size_of_bmp(data) if format == "bmp" else size_of_jp2(data)
    except (struct.error, ValueError):
        raise damaged from None
    must_fit(width, height, max_pixels)
    pixels = opened(data)
    if pixels is None:
        raise damaged
    return Picture(pixels=pixels, width=pixels.shape[1], height=pixels.shape[0], orientation=UPRIGHT)


def opened(data: bytes) -> Image | None:
    """(H, W, 3) RGB, or None when OpenCV cannot."""
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if pixels is None else np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def size_of_bmp(data: bytes) -> tuple[int, int]:
    """Width and height by the header; raises struct.error when it is too short."""
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == OLD_HEADER else "<ii", data, 18)
    return abs(width), abs(height)  # a negative height: rows run downwards


def size_of_jp2(data: bytes) -> tuple[int, int]:
    """Width and height by the image header box, or by the codestream's own; raises struct.error, ValueError."""
    head = data[:HEADER_ROOM]
    if head[:4] == b"\xff\x4f\xff\x51":
        right, bottom, left, top = struct.unpack_from(">4I", head, 8)
        return max(0, right - left), max(0, bottom - top)
    height, width = struct.unpack_from(">II", head, head.index(b"ihdr") + 4)
    return width, height
