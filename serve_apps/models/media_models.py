"""The services for files, seen as models: `thumbnail` decodes a file and derives its pictures, `exif` reads its facts.

The work and its dangers are the decode child's (serve_apps/media). A file at fault is answered with a sentence, and
its neighbours in the batch with what they asked for.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cluster.errors import PhotoError
from cluster.settings import MediaSettings, ModelSpec
from serve_apps.media.box import Decoder
from serve_apps.media.protocol import Decoded, Metadata

KEPT = 4  # decode children kept, one for each owner asked for lately


class MediaRequest(msgspec.Struct, frozen=True):
    """A file, and the folder where its owner's derived pictures are kept."""

    path: bytes
    derived: str
    sidecar: bytes | None = None  # an XMP file whose facts go before the file's own
    name: str = ""  # what people call the file, if not its path: dates are read from it
    force: bool = False  # write derived pictures anew though they are there


class ThumbnailModel:
    """Files to derived pictures, under the limits of the settings, which `applications.complete` hands in."""

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.settings = MediaSettings.model_validate(spec.options.get("media", {}))
        self.decoders: dict[str, Decoder] = {}  # by folder, the one used last at the end
        self.lock = threading.Lock()

    def predict(self, batch: Sequence[MediaRequest]) -> list[Decoded | str]:
        """What was decoded of each file, or a sentence why it cannot be.

        Raises StoreError when pictures cannot be written, Unavailable when no decode child starts.
        """
        with self.lock:
            return [self.decoded(request) for request in batch]

    def decoded(self, request: MediaRequest) -> Decoded | str:
        """One file."""
        try:
            return self.decoder(request.derived).decode(request.path, request.sidecar, request.name, request.force)
        except PhotoError as error:
            return str(error)

    def decoder(self, derived: str) -> Decoder:
        """The decoder that writes to a folder; the one longest unused makes room for a new one."""
        decoder = self.decoders.pop(derived, None) or Decoder(self.settings, Path(derived))
        self.decoders[derived] = decoder
        if len(self.decoders) > KEPT:
            self.decoders.pop(next(iter(self.decoders))).close()
        return decoder


class ExifModel:
    """Files to what they say of themselves: time, place, camera, rating, keywords, named faces.

    The facts come with the decoding, so the derived pictures are there afterwards too.
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.thumbnails = ThumbnailModel(spec, weights)

    def predict(self, batch: Sequence[MediaRequest]) -> list[Metadata | str]:
        """The facts of each file, or a sentence why it cannot be read; raises as ThumbnailModel does."""
        answers = self.thumbnails.predict(batch)
        return [answer if isinstance(answer, str) else answer.metadata for answer in answers]
