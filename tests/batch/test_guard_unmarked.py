"""A folder that never was marked, and most of whose files are gone: how somebody says that it is the right one."""

import os
import re
from pathlib import Path

from lancedb.expr import col

from batch.guard import LIBRARY_ID, SOURCE, Guard
from tests.batch.adorned import Album, fill


def test_where_most_files_were_deleted_before_there_were_markers_the_line_is_told(tmp_path: Path):
    """A scan that is not sure of the folder marks none as missing; who is sure writes the line, and goes on."""
    home = Album(tmp_path)
    home.folder.mkdir()
    fill(home, 26)
    marker = home.folder / ".brightroom"
    marker.unlink()
    home.library.meta.delete(col("key").isin([SOURCE, LIBRARY_ID]))
    for number in range(20):
        (home.folder / f"{number % 12:02d}/{number:03d}.jpg").unlink()

    assert home.scan()["gone_unmarked"] == 20
    assert not marker.exists()
    away = Guard(home.library, os.fsencode(home.folder), 0.2).away()
    (line,) = re.findall(r"put the line ([0-9a-f]{32}) into", away)
    marker.write_text(f"{line}\n")

    assert Guard(home.library, os.fsencode(home.folder), 0.2).away() == ""
    home.close()
