"""Leaving a Nextcloud without keeping its photos: those that are nowhere else go to the trash. Can be undone.

What was fetched stays on the disk as long as the trash holds the photos; then `unused.py` deletes it.
"""

from collections.abc import Callable

from lancedb.expr import col, lit

from batch.missing import Gone, writes_of
from batch.progress import StageProgress
from batch.sink import Commits
from batch.trash import Taken, take_out
from cluster.store.database import Library
from cluster.store.files import NEXTCLOUD

AT_ONCE = 500  # photos taken out in one commit


def leave(
    library: Library, writer: Commits, taken: Taken, stopped: Callable[[], bool], stage: StageProgress
) -> dict[str, int]:
    """Take the files of a Nextcloud out of a library, and the photos that have no other; returns what a job tells.

    May be stopped, or killed, between batches, and done again. `library` must see every commit.
    """
    library.remotes.change(~col("gone"), {"gone": True, "etag": ""})
    found = library.files.rows(col("source") == lit(NEXTCLOUD), ["photo_id"])["photo_id"].to_pylist()
    photo_ids, deleted = sorted(set(found)), 0
    stage.begin(len(photo_ids))
    for start in range(0, len(photo_ids), AT_ONCE):
        if stopped():
            break
        some = photo_ids[start : start + AT_ONCE]
        deleted += leave_some(library, writer, taken, some)
        stage.advance(len(some), 0)
    return {"photos_deleted": deleted}


def leave_some(library: Library, writer: Commits, taken: Taken, photo_ids: list[str]) -> int:
    """Take the files of some photos out; returns how many of the photos go with them."""
    files = library.files.of_photos(photo_ids).to_pylist()
    there = {file["photo_id"] for file in files if file["source"] != NEXTCLOUD}
    theirs = [file for file in files if file["source"] == NEXTCLOUD]
    only = {file["photo_id"] for file in theirs} - there - {""}
    writer.commit(writes_of(library, Gone([], [file for file in theirs if file["photo_id"] not in only], [], [])))
    photos = library.photos.by_keys(sorted(only)).to_pylist()
    gone = [{**file, "state": "missing"} for file in theirs if file["photo_id"] in only]
    take_out(library, writer, [{**photo, "missing": True} for photo in photos], gone, taken)
    return len(photos)
