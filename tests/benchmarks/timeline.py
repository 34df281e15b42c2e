"""The page of all photos over a library of 100,000, in a real browser: how soon it shows, how smoothly it scrolls.

Prints when the first photos are painted, the long tasks while it scrolls and jumps, and what the page's heap grows by.
`python -m tests.benchmarks.timeline --minutes 10` scrolls for longer.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from api.cookies import PLAIN
from tests.api.world import World, answering
from tests.benchmarks.large_library import large_library

PHOTOS, MINUTES = 100_000, 2.0
CHROMIUM = os.environ.get("BRIGHTROOM_CHROMIUM") or shutil.which("chromium")
LOOK_S, TRACED_S = 15.0, 20.0
GOALS = {"paint": 1500, "task": 100}  # milliseconds
KEYS = ("PageDown", "PageDown", "PageUp", "ArrowDown", "Home", "End")
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
SEEN = """Math.min(...performance.getEntriesByType('resource').filter((one) => one.name.includes('/thumbnail/'))
  .map((one) => one.responseEnd))"""
out = Console(highlight=False)


class Scrolled(msgspec.Struct):
    """What was seen of a page that was scrolled."""

    paint_ms: float = 0.0
    seen_ms: float = 0.0  # the first thumbnail has come
    tasks: list[float] = []  # milliseconds, of 50 and more, whatever else the machine did meanwhile
    cpu_ms: float = 0.0  # of the longest task
    heaps: list[float] = []  # MB, after collecting garbage
    nodes: list[int] = []
    pixels: int = 0


@contextmanager
def browsed(world: World) -> Iterator[Page]:
    """A wide window of a browser in which ann is logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": PLAIN, "value": world.token("ann"), "url": world.http.url}])
        context.add_init_script(WATCH)
        yield context.new_page()
        browser.close()


def scrolled(world: World, minutes: float) -> Scrolled:
    """The page opened, then scrolled by wheel and slider for so long."""
    seen = Scrolled()
    with browsed(world) as page:
        page.goto(world.http.url)
        page.wait_for_selector(".timeline-canvas a.photo img:not([data-coming])")
        seen.paint_ms, seen.seen_ms = page.evaluate(PAINT), page.evaluate(SEEN)
        page.mouse.move(700, 500)
        devtools = page.context.new_cdp_session(page)
        began, looked, dice = time.monotonic(), 0.0, random.Random(5)
        while (passed := time.monotonic() - began) < 60 * minutes:
            if passed >= looked:
                look(devtools, seen)
                looked += LOOK_S
            seen.pixels += move(page, dice)
        look(devtools, seen)
        seen.tasks = page.evaluate("longTasks")
        seen.cpu_ms = longest_of_cpu(page, dice)
    return seen


def longest_of_cpu(page: Page, dice: random.Random) -> float:
    """Milliseconds of CPU time that the page's longest task took while it was scrolled and traced for a while."""
    browser = page.context.browser
    assert browser
    browser.start_tracing(page=page, categories=["devtools.timeline", "disabled-by-default-devtools.timeline"])
    ends = time.monotonic() + TRACED_S
    while time.monotonic() < ends:
        move(page, dice)
    events = msgspec.json.decode(browser.stop_tracing())["traceEvents"]
    named = [event for event in events if event["name"] == "thread_name"]
    mains = {(one["pid"], one["tid"]) for one in named if one["args"]["name"] == "CrRendererMain"}
    tasks = [one for one in events if one["name"] == "RunTask" and (one["pid"], one["tid"]) in mains]
    return max(float(one.get("tdur", 0)) for one in tasks) / 1000


def move(page: Page, dice: random.Random) -> int:
    """A turn of the wheel, now and then after a jump; how far the wheel went."""
    if dice.random() < 0.02:
        jump(page, dice)
    return wheel(page, dice)


def wheel(page: Page, dice: random.Random) -> int:
    """A turn of the wheel, mostly down; how far in pixels."""
    step = dice.choice((300, 600, 900, 1500, -700))
    page.mouse.wheel(0, step)
    page.wait_for_timeout(25)
    return abs(step)


def jump(page: Page, dice: random.Random) -> None:
    """Somewhere else, by the slider."""
    page.locator("[role=slider]").focus()
    page.keyboard.press(dice.choice(KEYS))
    page.wait_for_timeout(150)


def look(devtools: CDPSession, seen: Scrolled) -> None:
    """Note the heap without garbage, and how many nodes there are."""
    devtools.send("HeapProfiler.collectGarbage")
    seen.heaps.append(devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
    seen.nodes.append(int(devtools.send("Memory.getDOMCounters")["nodes"]))


def report(photos: int = PHOTOS, minutes: float = MINUTES) -> None:
    """The figures as a table; a word where there is no browser."""
    if not CHROMIUM:
        out.print("the timeline is not measured: there is no Chromium (tests/browser/install.sh installs one)")
        return
    with (
        tempfile.TemporaryDirectory(prefix="brightroom-bench-") as folder,
        answering(large_library(Path(folder), photos)) as world,
    ):
        seen = scrolled(world, minutes)
    table = Table(f"the timeline of {photos:,} photos", "", "goal", box=None, padding=(0, 2))
    longest, slow = max(seen.tasks, default=0), [task for task in seen.tasks if task > GOALS["task"]]
    table.add_row("first paint", f"{seen.paint_ms:.0f} ms", f"{GOALS['paint']} ms")
    table.add_row("first thumbnail", f"{seen.seen_ms:.0f} ms", "")
    table.add_row(f"longest task in {minutes:g} min of scrolling", f"{longest:.0f} ms", f"{GOALS['task']} ms")
    table.add_row("tasks over that, over 50 ms", f"{len(slow)}, {len(seen.tasks)}", "0")
    table.add_row("longest task, CPU time alone", f"{seen.cpu_ms:.0f} ms", f"{GOALS['task']} ms")
    table.add_row("heap after the first look, at most, at the end", megabytes(seen.heaps), "flat")
    table.add_row("nodes at most", f"{max(seen.nodes):,}", "")
    out.print(table)
    out.print(f"{seen.pixels:,} pixels by the wheel; heaps: {', '.join(f'{heap:.1f}' for heap in seen.heaps)} MB")


def megabytes(heaps: list[float]) -> str:
    """The second look's heap, the largest since, and the last."""
    settled = heaps[1:] or heaps
    return f"{settled[0]:.1f}, {max(settled):.1f}, {settled[-1]:.1f} MB"


def asked() -> Any:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.timeline")
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    return parser.parse_args()


if __name__ == "__main__":
    given = asked()
    report(given.photos, given.minutes)
