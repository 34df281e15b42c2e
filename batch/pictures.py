"""Derived pictures made again when they are gone, by the decode child, from an original that still has their content.

Leaves out making them the first time (ingest.py), and who asks for them.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from batch.rewriting import folder_of
from cluster.errors import PhotoError, Unreadable
from cluster.settings import MediaSettings
from cluster.store.paths import display
from serve_apps.media.box import Decoder
from serve_apps.spares import Spares

NO_ORIGINAL = "its original is not there any more; put it back and scan again"


class Renewal:
    """Makes derived pictures of one library again; may be asked from several threads at once. Close it."""

    def __init__(self, media: MediaSettings, derived: Path, root: bytes) -> None:
        """`derived` is where the library's pictures are, `root` the owner's folder of originals."""
        self.derived, self.root = derived, root
        self.decoders = Spares(lambda: Decoder(media, derived))

    def remake(self, content_id: str, paths: Iterable[bytes]) -> int:
        """Make those pictures of a content that are not there, from the first of its files that has it still.

        `paths` are below the root. Returns the bytes of all the pictures. Raises a PhotoError when no file will do,
        StoreError when the disk takes no pictures, and Unavailable when no child starts.
        """
        reason: PhotoError = Unreadable(NO_ORIGINAL)
        with self.decoders.lent() as decoder:
            for path in paths:
                try:
                    return self.remade(decoder, content_id, path)
                except PhotoError as error:
                    reason = error
        raise reason

    def remade(self, decoder: Decoder, content_id: str, path: bytes) -> int:
        """Make the pictures from one file, which is reached by no link; the bytes of all of them."""
        with folder_of(self.root, path):
            whole = os.path.join(self.root, path.lstrip(b"/"))
            decoded = decoder.decode(whole, None, display(path), expected=content_id)
        return sum(decoded.derived.values())

    def close(self) -> None:
        """End the decode children."""
        for decoder in self.decoders.taken():
            decoder.close()
