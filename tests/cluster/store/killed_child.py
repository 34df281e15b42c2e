"""Writers for test_kills.py. For each number read, starts so many, which write until they are killed; then says `dead`.

A writer prints its process id, and `ack <photo> <photo>` for each batch once `commit` has returned. They are forked
from here because importing takes far longer than a writer lives; nothing is open yet when they are.
"""

import itertools
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from cluster.settings import Settings, StoreSettings
from cluster.store.database import open_library
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import rows_of
from cluster.store.writer import Replace, Upsert, Writer

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def write_forever(root: str) -> None:
    """Commit batches of two photos with their vectors and faces, and say so after each."""
    settings = Settings(root=Path(root), store=StoreSettings(optimize_every=4, keep_versions_s=5))
    library = open_library(settings, "a" * 32)
    writer = Writer(library, settings.store)
    vectors = library.embeddings("clip@1", 2)
    say(f"pid {os.getpid()}")
    for turn in itertools.count():
        ids = [f"{os.getpid()}-{turn}-{half}" for half in "ab"]
        made = {"kind": "image", "clip_rev": "clip@1", "added_at": NOW, "changed_at": NOW}
        photos = rows_of([{"photo_id": id_, **made} for id_ in ids], PHOTOS)
        rows = rows_of([{"id": id_, "photo_id": id_, "vector": [1.0, 0.0]} for id_ in ids], vectors.schema)
        faces = rows_of([{"face_id": f"{id_}-00", "photo_id": id_} for id_ in ids], library.faces.schema)
        writer.commit([Upsert("photos", photos), Upsert(vectors.name, rows), Replace("faces", faces, "photo_id", ids)])
        say(f"ack {' '.join(ids)}")


def say(line: str) -> None:
    """Print a line in one piece, whoever else prints."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    for line in sys.stdin:
        writers = []
        for _ in range(int(line)):
            writers.append(os.fork())
            if not writers[-1]:
                write_forever(sys.argv[1])
        for writer in writers:
            os.waitpid(writer, 0)
        say("dead")
