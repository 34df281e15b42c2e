"""What an action would do, told before it is done. Each noun computes its own; none of them writes anything."""

import msgspec

MOST_NAMES = 1000  # that a plan lists; its counts are of all


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an action would do to a library as it is now."""

    action: str
    counts: dict[str, int] = {}  # what of, how many: {"photos": 30, "files": 41}
    names: list[str] = []  # of what is concerned, the first of them
    bytes: int = 0  # that would be freed or written
    refused: str = ""  # why the action would not do it, and what to do; empty when it would
    confirm: int = 0  # the number with which it would do it after all; 0: none is asked for
