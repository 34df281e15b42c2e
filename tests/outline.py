"""Draw `api/web/pictures/world.svg` anew: `python -m tests.outline countries-50m.json`, a file of npm's `world-atlas`.

That is Natural Earth's map, which is in the public domain, as TopoJSON. What is drawn is equirectangular: a unit is a
tenth of a degree, from 180 degrees west and 90 degrees north; what crosses 180 degrees goes on beyond the edge, so draw
the map a second time, 3600 units beside, where that shows. Borders are lines of their own, to be drawn over the land.
"""

import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]
WORLD = Path(__file__).parents[1] / "api" / "web" / "pictures" / "world.svg"
NEAR = 1.15  # units that a simplified line may be off
SMALLEST = 3.0  # square units of an island


def unpacked(topology: dict[str, Any]) -> list[list[Point]]:
    """The arcs of a map in units, each simplified by itself, so that neighbours still meet."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append(((x * sx + tx + 180) * 10, (90 - y * sy - ty) * 10))
        arcs.append(simplified(points))
    return arcs


def simplified(points: Sequence[Point]) -> list[Point]:
    """A line without the points that it comes near anyway (Douglas and Peucker); a ring keeps its farthest point."""
    if len(points) < 3:
        return list(points)
    far, distance = max(((i, off(points[i], points[0], points[-1])) for i in range(1, len(points) - 1)), key=second)
    if distance <= NEAR and points[0] != points[-1]:
        return [points[0], points[-1]]
    return [*simplified(points[: far + 1])[:-1], *simplified(points[far:])]


def second(pair: tuple[int, float]) -> float:
    """The distance of a pair."""
    return pair[1]


def off(point: Point, start: Point, end: Point) -> float:
    """How far a point is from a line between two others, or from both where they are one."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float(dx * dx + dy * dy)
    along = 0.0 if not length else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length
    along = min(1.0, max(0.0, along))
    return float(((point[0] - start[0] - along * dx) ** 2 + (point[1] - start[1] - along * dy) ** 2) ** 0.5)


def line(arcs: Sequence[list[Point]], numbers: Iterable[int]) -> list[Point]:
    """Some arcs one after another; a negative number is an arc backwards."""
    points: list[Point] = []
    for number in numbers:
        points += (arcs[number] if number >= 0 else arcs[~number][::-1])[bool(points) :]
    return points


def unrolled(ring: Sequence[Point]) -> list[Point]:
    """A ring that goes on where it crosses 180 degrees; one around the pole takes the pole in."""
    turned, points = 0, list(ring[:1])
    for before, (x, y) in itertools.pairwise(ring):
        turned += 3600 if x - before[0] < -1800 else -3600 if x - before[0] > 1800 else 0
        points.append((x + turned, y))
    return [*points, (points[-1][0], 1800), (points[0][0], 1800)] if turned else points


def rings(geometry: dict[str, Any]) -> list[list[int]]:
    """The rings of a geometry, each as numbers of arcs."""
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
    return [ring for polygon in polygons for ring in polygon]


def area(points: Sequence[Point]) -> float:
    """What a ring encloses."""
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def path(points: Sequence[Point], closed: bool) -> str:
    """A line as whole steps of a path; "" for a point."""
    whole = [(round(x), round(y)) for x, y in points]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(whole) if a != b]
    if closed and steps:
        steps.pop()  # `z` draws it
    if not steps:
        return ""
    told = "".join(f"{dx} {dy}" if dx < 0 or not i else f" {dx} {dy}" for i, (dx, dy) in enumerate(steps))
    return f"M{whole[0][0]} {whole[0][1]}l{told.replace(' -', '-')}{'z' if closed else ''}"


def main(source: str) -> None:
    """Read a map and write ours."""
    topology = json.loads(Path(source).read_text())
    arcs = unpacked(topology)
    land = [unrolled(line(arcs, ring)) for one in topology["objects"]["land"]["geometries"] for ring in rings(one)]
    uses: dict[int, int] = {}
    for country in topology["objects"]["countries"]["geometries"]:
        for number in (number for ring in rings(country) for number in ring):
            uses[max(number, ~number)] = uses.get(max(number, ~number), 0) + 1
    coasts = "".join(path(ring, True) for ring in land if area(ring) >= SMALLEST)
    borders = "".join(path(arcs[number], False) for number, count in sorted(uses.items()) if count > 1)
    WORLD.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3600 1800">'
        f'<path id="land" d="{coasts}"/><path id="borders" fill="none" d="{borders}"/></svg>\n'
    )
    print(f"{WORLD}: {WORLD.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
