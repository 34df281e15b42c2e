"""Does something as a user to whom folders are closed; root, whom tests may be run by, is let in everywhere.

In a process of its own: who a process is holds for all its threads, also those of a Brightroom that another test uses.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

NOBODY = 65534

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def as_nobody(work: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """What a function of a module answers when it is called as nobody; arguments and answer are copied."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(lowered, work, *args, **kwargs).result()


def lowered(work: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """Become nobody, then work; what `work` needs is imported by then."""
    os.seteuid(NOBODY)
    return work(*args, **kwargs)
