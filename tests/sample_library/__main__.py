"""Write the sample library by hand: python -m tests.sample_library FOLDER."""

import sys
from pathlib import Path

from tests.sample_library import write_sample_library

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.sample_library FOLDER (a new or an empty one)")
try:
    library = write_sample_library(Path(sys.argv[1]))
except FileExistsError as error:
    sys.exit(str(error))
print(f"{library.folder}: " + ", ".join(f"{count} {name}" for name, count in library.counts.items()))
