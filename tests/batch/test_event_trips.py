"""The events of the sample library are its trips, and what was taken together at home; by hand from its plan.

Dates and places come from the files, by a real first pass. Whose the faces are is put in from the truth: there are no
models here, and whether they find it is other tests' business.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batch.events import foresee, generate
from cluster.store.people import key_of
from cluster.store.schema import rows_of
from cluster.store.writer import Upsert, Writer
from tests.batch.bench_of_one import Bench
from tests.sample_library import SampleLibrary, write_sample_library
from tests.sample_library.pictures import View
from tests.sample_library.plan import TRIPS
from tests.sample_library.write import write_shot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# The people of ORL in the sample library. Odd ones were on the first trip and every other one, even ones on the rest.
NAMES = {
    "s1": "Ada", "s2": "Ben", "s3": "Cleo", "s4": "Dora", "s5": "Emil", "s6": "Fay",
    "s7": "Gus", "s8": "Hedy", "s9": "Ivo", "s10": "June", "s11": "Karl", "s12": "Lise",
}  # fmt: skip
# Each trip has four photos a day, and each of its six people is on one of them: equals are told by the alphabet.
EVENTS = {
    "2024/2024-05 Paris": "3 days with Ben and Dora in Paris",  # Wednesday 8th to a video of the 10th
    "2023/2023-01 Buenos Aires": "3 days with Ada and Cleo in Buenos Aires",  # Saturday 14th to a video of the 16th
    "2022/2022-08 Nairobi": "Weekend with Ben and Dora in Nairobi",  # 6th and 7th, and a burst on the 6th
    "2021/2021-06 Amsterdam": "4 days with Ada and Cleo in Amsterdam",  # 7 photos and 8 turned ones: 19th to 22nd
    "2020/At home": "Weekend with Ada and Ben",  # 11th and 12th of April, without a position; four people in a row
    "2019/2019-12 Sydney": "Monday Afternoon with Ben and Dora in Sydney",  # 30th at four o'clock, and the 31st
    "2019/2019-05 Beijing": "3 days with Ada and Cleo in Beijing",  # 9 photos from Saturday the 4th
    "2018/2018-10 京都 Kyoto": "Weekend with Ben and Dora in Kyoto",  # 8 photos, 27th and 28th
    "2018/2018-02 Zermatt": "3 days with Ada and Cleo in Zermatt",  # 9 photos from Sunday the 11th
    "2017/2017-03 Cape Canaveral": "3 days with Ben and Dora in Titusville",  # 9 photos from Saturday the 18th
    "2016/2016-07 Porto": "Weekend with Ada and Cleo in Porto",  # 8 photos, 9th and 10th
}
AT_HOME = 7  # photos: five at home, and two of the same hours in the folder Shared


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Bench]:
    """A folder with its library, both empty."""
    made = Bench(tmp_path)
    yield made
    made.close()


def introduce(home: Bench, sample: SampleLibrary) -> None:
    """The faces of everybody, labeled or inferred as may be."""
    people = [
        {
            "person_id": label, "name": name, "name_key": key_of(name), "kind": "person", "created_at": NOW,
            "changed_at": NOW,
        }
        for label, name in NAMES.items()
    ]  # fmt: skip
    ids = {os.fsencode(row["path"]): row["photo_id"] for row in home.library.files.rows().to_pylist()}
    faces = [
        {
            "face_id": f"{label}-{at}", "photo_id": ids[os.fsencode(main)], "person_id": label,
            "standing": "labeled" if at % 2 else "inferred",
        }
        for label, mains in sample.people.items()
        for at, main in enumerate(mains)
    ]  # fmt: skip
    library = home.library
    Writer(library, home.settings.store).commit(
        [
            Upsert("people", rows_of(people, library.people.schema)),
            Upsert("faces", rows_of(faces, library.faces.schema)),
        ]
    )


def told(home: Bench) -> tuple[list[str], list[str], dict[str, Counter[str]]]:
    """The events' titles and ids, newest first, and from which folders their photos are."""
    events = home.library.events.page(100)
    inside: dict[str, Counter[str]] = {event["event_id"]: Counter() for event in events}
    for row in home.library.photos.rows(None, ["name", "event_id"]).to_pylist():
        if row["event_id"]:
            inside[row["event_id"]][str(Path(row["name"]).parent)] += 1
    return [event["title"] for event in events], list(inside), inside


def generated(home: Bench, photo_ids: list[str] | None = None) -> dict[str, int]:
    """Events brought up to date."""
    library = home.library
    return generate(library, Writer(library, home.settings.store), NOW, photo_ids)


def test_the_events_of_the_sample_library_are_its_trips_and_stay_them(home: Bench) -> None:
    """Each with its title and exactly its photos; a photo that comes late changes a title, and no id."""
    sample = write_sample_library(home.folder)
    home.scan()
    introduce(home, sample)

    planned = foresee(home.library).counts
    counts = generated(home)

    titles, ids, inside = told(home)
    assert titles == list(EVENTS.values())
    assert planned["new"] == counts["new"] == counts["events"] == len(EVENTS)
    trips = {folder: ids[at] for at, folder in enumerate(EVENTS) if folder != "2020/At home"}
    expected = Counter(str(Path(photo.main).parent) for photo in sample.photos)
    assert {folder: inside[event_id] for folder, event_id in trips.items()} == {
        folder: Counter({folder: expected[folder]}) for folder in trips
    }
    assert inside[ids[4]] == Counter({"2020/At home": AT_HOME - 2, "Shared": 2})

    late = TRIPS[0].shot(9, View("flower.jpg", (0.3, 0.3, 1, 1)))  # the third day in Porto
    write_shot(home.folder, late)
    home.scan()
    counts = generated(home, [home.ids()[late.path]])

    again, same_ids, grown = told(home)
    assert same_ids == ids
    assert again == [*titles[:-1], "3 days with Ada and Cleo in Porto"]
    assert grown[ids[-1]].total() == inside[ids[-1]].total() + 1
    assert (counts["new"], counts["changed"], counts["photos"]) == (0, 1, 1)
    assert not any(generated(home)[name] for name in ("new", "changed", "merged", "gone", "photos"))
