"""Whatever happens to a library, and in whatever order: its events are what they would be if all were found anew."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch.events import foresee
from tests.batch.album import Album, OneByOne, at

FEW = settings(deadline=None, derandomize=True, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
# Hours apart so that events are cut, joined and bridged often.
HOURS = st.integers(0, 12).map(lambda number: number * 17.0)
NAMES = st.sampled_from([f"p{number:02}" for number in range(14)])
STEP = st.one_of(
    st.tuples(st.just("add"), NAMES, HOURS, st.sampled_from(["Oslo", "Rome", ""])),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("undate"), NAMES),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(st.just("name"), st.integers(0, 3), st.sampled_from(["Ours", "Theirs"])),
)
STEPS = st.lists(st.lists(STEP, min_size=1, max_size=4), min_size=1, max_size=6)


def done(album: Album, step: tuple[Any, ...]) -> list[str]:
    """One thing done to a library; the photos that a scan would say had changed."""
    match step:
        case "add", name, hours, place:
            album.add({name: hours}, place=place, event_id=event_of(album, name))
            return [name]
        case "remove", name:
            album.remove(name)
        case "undate", name:
            album.change(name, taken_source="mtime")
            return [name]
        case (("delete" | "name"), number, *title):
            for event_id in list(album.shown().values())[number : number + 1]:
                album.say(event_id, **({"own_title": title[0]} if title else {"deleted": True}))
    return []


def event_of(album: Album, name: str) -> str:
    """The event a photo is in; a scan that reads a photo again leaves that as it is."""
    row = album.library.photos.get(name)
    return str(row["event_id"]) if row else ""


def groups(album: Album) -> list[list[str]]:
    """Which photos were taken together, found the plain way."""
    rows = album.library.photos.rows(None, ["photo_id", "taken_at", "taken_source"], order_by="taken_at").to_pylist()
    found: list[list[dict[str, Any]]] = []
    for row in rows:
        if row["taken_source"] == "mtime":
            continue
        if found and row["taken_at"] - found[-1][-1]["taken_at"] < at(36) - at(0):
            found[-1].append(row)
        else:
            found.append([row])
    return [[row["photo_id"] for row in group] for group in found]


def whose(album: Album) -> dict[str, str]:
    """The event of each photo that is in one."""
    return {photo: event_id for event_id, photos in album.inside().items() for photo in photos}


def standing(album: Album) -> tuple[dict[str, str], set[str]]:
    """Each photo's event, and which events are deleted."""
    return whose(album), {row["event_id"] for row in album.library.events.rows().to_pylist() if row["deleted"]}


def check_one(group: list[str], before: tuple[dict[str, str], set[str]], shown: dict[str, str]) -> None:
    """What has to become of photos that were taken together, given whose they were."""
    events, deleted = before
    living = {events[photo] for photo in group if photo in events} - deleted
    buried = {events[photo] for photo in group if photo in events} & deleted
    together = " ".join(group)
    if living:
        assert (together in shown) == (len(group) > 1)
    elif buried:
        assert together not in shown
    if len(living) == 1 and len(group) > 1:
        [event_id] = living
        if {photo for photo, whose in events.items() if whose == event_id} <= set(group):
            assert shown[together] == event_id


@FEW
@given(STEPS)
def test_events_near_changes_come_out_as_all_of_them_would(history: list[list[tuple[Any, ...]]]) -> None:
    """After each scan, finding all of them anew would change nothing; ids are kept, deleted ones stay away."""
    with TemporaryDirectory() as folder:
        album = Album(Path(folder))
        for steps in history:
            touched = [name for step in steps for name in done(album, step)]
            before = standing(album)
            album.generate(touched)

            shown = album.shown()
            assert not any(foresee(album.library).counts.values())
            together = groups(album)
            assert set(shown) <= {" ".join(group) for group in together if len(group) > 1}
            for group in together:
                check_one(group, before, shown)


PEACEFUL = st.lists(
    st.lists(
        STEP.filter(lambda step: step[0] in ("add", "remove", "undate")), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@FEW
@given(PEACEFUL)
def test_a_library_that_grew_has_the_events_of_one_that_is_scanned_at_once(
    history: list[list[tuple[Any, ...]]],
) -> None:
    """The same photos together under the same titles; only ids tell of the past."""
    with TemporaryDirectory() as folder, TemporaryDirectory() as other:
        album, anew = Album(Path(folder)), Album(Path(other))
        for steps in history:
            album.generate([name for step in steps for name in done(album, step)])
        for row in album.library.photos.rows().to_pylist():
            place, source = row["place"], row["taken_source"]
            anew.add(
                {row["photo_id"]: (row["taken_at"] - at(0)).total_seconds() / 3600}, place=place, taken_source=source
            )
        anew.generate()

        assert album.titles() == anew.titles()
        assert set(album.shown()) == {" ".join(group) for group in groups(album) if len(group) > 1}


@FEW
@given(STEPS)
def test_a_run_that_dies_leaves_the_next_one_the_same_end(history: list[list[tuple[Any, ...]]]) -> None:
    """After any history, and before whichever of its commits the last run was killed."""
    with TemporaryDirectory() as folder:
        album = Album(Path(folder) / "start")
        for steps in history[:-1]:
            album.generate([name for step in steps for name in done(album, step)])
        touched = [name for step in history[-1] for name in done(album, step)]
        undisturbed = Album(shutil.copytree(Path(folder) / "start", Path(folder) / "undisturbed"))
        undisturbed.generate(touched)
        for deaths in range(10):
            one = Album(shutil.copytree(Path(folder) / "start", Path(folder) / f"dies{deaths}"))
            try:
                one.generate(touched, OneByOne(one.writer, deaths))
                break
            except KeyboardInterrupt:
                one.generate(touched)
            assert one.everything() == undisturbed.everything(), f"after a death before commit {deaths}"
