"""Whether shares of GPUs can be placed: a replica's share lies on ONE GPU, so a sum that fits is not enough.

Numbers and sentences only: who asks is handed in. Ray places replicas as they come, so it can still leave one out that
an assignment made beforehand would place; `unplaced` says so of that one. Memory needs no packing: a replica may not
take more of it than its share of a GPU's, so what lies together on a GPU fits into its memory too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

WHOLE = 10_000  # Ray counts GPUs in ten-thousandths
MOST_STEPS = 100_000  # of the search, under a second; only hundreds of odd shares that fill every GPU need more
MOST_NAMED = 8  # GPUs in one sentence

Counts = tuple[int, ...]  # how many of each size are still to be placed


class Demand(msgspec.Struct, frozen=True):
    """Replicas that each want the same share of one GPU."""

    who: str
    share: float  # of one GPU, 0..1
    replicas: int = 1


class GpuRoom(msgspec.Struct, frozen=True):
    """What is free of one GPU."""

    node: str
    index: str  # the GPU's number on its node
    free: float  # 0..1


def refusal(demands: Sequence[Demand], gpus: int) -> str:
    """Why not all of them can be placed on so many GPUs together, in a sentence; empty when they can."""
    asked = [demand for demand in demands if units(demand.share)]
    parts = " + ".join(f"{demand.who} {times(demand.replicas)}{demand.share:g}" for demand in asked)
    total = sum(units(demand.share) * demand.replicas for demand in asked)
    if total > gpus * WHOLE:
        return f"{parts} = {total / WHOLE:g} is more than the {gpus} of gpus_per_node; lower a share or max_replicas"
    first, rooms = first_left_out(asked, gpus)
    if first is None or packs([units(demand.share) for demand in asked for _ in range(demand.replicas)], gpus):
        return ""
    left = " + ".join(f"{times(count)}{room / WHOLE:g}" for room, count in Counter(rooms).items() if room)
    why = f"a replica's share must lie on one GPU, and {first.who} asks for {first.share:g} where {left} is left"
    return f"{parts} do not fit on {gpus} GPUs: {why}; lower a share or max_replicas"


def units(share: float) -> int:
    """A share in ten-thousandths of a GPU; hundredths do not add up exactly in binary."""
    return round(share * WHOLE)


def times(count: int) -> str:
    """`3 x ` before what is there three times, nothing before what is there once."""
    return f"{count} x " if count > 1 else ""


def first_left_out(demands: Sequence[Demand], gpus: int) -> tuple[Demand | None, list[int]]:
    """Place the largest first, each on the first GPU with room: who is left out first, and the rooms left then."""
    rooms = [WHOLE] * gpus
    for demand in sorted(demands, key=lambda demand: -demand.share):
        for _ in range(demand.replicas):
            at = next((at for at, room in enumerate(rooms) if room >= units(demand.share)), None)
            if at is None:
                return demand, rooms
            rooms[at] -= units(demand.share)
    return None, rooms


def packs(shares: Sequence[int], gpus: int) -> bool:
    """Whether some assignment places all shares, in ten-thousandths; GPU by GPU over all ways to fill it.

    A search of more than `MOST_STEPS` counts as none found: Ray, which does not search, would find none either.
    """
    sizes = sorted(set(shares), reverse=True)
    counted = Counter(shares)
    states: set[Counts] = {tuple(counted[size] for size in sizes)}
    steps = 0
    for later in reversed(range(gpus)):  # GPUs still empty after this one
        after: set[Counts] = set()
        for rest, room in (filled for state in states for filled in fillings(sizes, state)):
            steps += 1
            if steps > MOST_STEPS:
                return False
            could_hold_more = any(count and size <= room for size, count in zip(sizes, rest, strict=True))
            if not could_hold_more and held(sizes, rest) <= later * WHOLE:
                after.add(rest)
        states = after
    return any(held(sizes, state) == 0 for state in states)


def held(sizes: Sequence[int], counts: Counts) -> int:
    """The sum of so many of each size."""
    return sum(size * count for size, count in zip(sizes, counts, strict=True))


def fillings(sizes: Sequence[int], counts: Counts) -> Iterator[tuple[Counts, int]]:
    """All ways to fill one GPU with the largest share that waits and others: what waits then, and the room left.

    The largest has to lie somewhere, so nothing is missed by giving it the next GPU.
    """
    largest = next((at for at, count in enumerate(counts) if count), None)
    if largest is None:
        yield counts, WHOLE
        return
    rest = (*counts[:largest], counts[largest] - 1, *counts[largest + 1 :])
    yield from choices(sizes, rest, WHOLE - sizes[largest], largest)


def choices(sizes: Sequence[int], counts: Counts, room: int, at: int) -> Iterator[tuple[Counts, int]]:
    """All ways to put shares from the size `at` on into a room."""
    if at == len(sizes):
        yield counts, room
        return
    for taken in range(min(counts[at], room // sizes[at]), -1, -1):
        rest = (*counts[:at], counts[at] - taken, *counts[at + 1 :])
        yield from choices(sizes, rest, room - taken * sizes[at], at + 1)


def unplaced(service: str, asked: float, gpus: Sequence[GpuRoom]) -> str:
    """Why a replica of a service has no place, in a sentence: what it asks for, what is free, what to do.

    CPUs are never the reason: replicas hold none.
    """
    if not units(asked):
        return f"a replica of {service} asks for no GPU and no CPU; it starts as soon as a node of the cluster answers"
    wanted = f"a replica of {service} asks for {asked:g} GPU"
    if not gpus:
        return f"{wanted}; the cluster has no GPU; add a node that has one, or set services.{service}.gpus to 0"
    places = [f"{gpu.free:g} (node {gpu.node}, GPU {gpu.index})" for gpu in gpus if units(gpu.free)]
    if any(units(gpu.free) >= units(asked) for gpu in gpus):
        return f"{wanted}; {enumerated(places)} is free, so it is about to be placed"
    there = "there is 1 GPU" if len(gpus) == 1 else f"there are {len(gpus)} GPUs"
    free = f"with {enumerated(places)} free" if places else "with nothing free"
    return f"{wanted}; {there}, {free}; stop another service or lower services.{service}.gpus"


def enumerated(places: Sequence[str]) -> str:
    """`a, b and c`; of many only the first few."""
    named = list(places[:MOST_NAMED])
    if len(places) > MOST_NAMED:
        named.append(f"{len(places) - MOST_NAMED} more")
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
