"""A small photo archive as a family has it, written from photos inside installed packages; and the truth about it.

The demo and the tests call `write_sample_library(folder)`; `python -m tests.sample_library FOLDER` writes it by hand.
What is in it stands in plan.py and unhappy.py. Nothing comes from the network; the same packages give the same bytes.
"""

from tests.sample_library.truth import ExpectedPhoto, SampleLibrary
from tests.sample_library.write import write_sample_library

__all__ = ["ExpectedPhoto", "SampleLibrary", "write_sample_library"]
