"""Folders of the server for an administrator to choose from: names of folders, and nothing else."""

import os
from pathlib import Path

import pytest

from tests.api.world import World

ASKED = "/api/server/folders"


def test_folders_are_listed_by_name_without_files_and_hidden_ones(world: World, tmp_path: Path) -> None:
    """With the way up, and whether they may be chosen."""
    for name in ("b", "A", ".hidden", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "file.jpg").write_bytes(b"x")

    told = world.as_user("root").get(ASKED, params={"path": str(tmp_path)}).json()

    assert [one["name"] for one in told["folders"]] == ["A", "b", "c"]
    assert told["folders"][0]["path"] == str(tmp_path / "A")
    assert (told["path"], told["parent"], told["more"], told["refused"]) == (
        str(tmp_path), str(tmp_path.parent), False, "",
    )  # fmt: skip


def test_the_topmost_folder_has_none_above(world: World) -> None:
    """And is where one starts."""
    assert world.as_user("root").get(ASKED).json()["parent"] == ""


def test_only_administrators_look_into_the_server(world: World) -> None:
    """Not users, and nobody who is not logged in."""
    assert world.as_user("ann").get(ASKED).status_code == 403
    assert world.client().get(ASKED).status_code == 401


@pytest.mark.parametrize(
    "path", ["relative", "", "/no/such/folder", "/etc/passwd", "/tmp\x00/etc", "~", "file:///etc", "/" + "a/" * 2000]
)
def test_what_is_no_folder_is_told_in_a_sentence(world: World, path: str) -> None:
    """That says what to do next."""
    answer = world.as_user("root").get(ASKED, params={"path": path})

    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


def test_names_that_are_no_text_are_left_out(world: World, tmp_path: Path) -> None:
    """Nobody could choose them; those that only look dangerous are names like any other."""
    os.mkdir(os.fsencode(tmp_path) + b"/\xff\xfe")
    for name in ("two\nlines", "<img src=x onerror=alert(1)>", "{{ 7*7 }}"):
        (tmp_path / name).mkdir()

    told = world.as_user("root").get(ASKED, params={"path": str(tmp_path)}).json()

    assert [one["name"] for one in told["folders"]] == ["<img src=x onerror=alert(1)>", "{{ 7*7 }}"]


def test_a_way_up_inside_a_path_and_links_are_told_as_what_they_lead_to(world: World, tmp_path: Path) -> None:
    """What is taken is what is seen."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    client = world.as_user("root")
    assert client.get(ASKED, params={"path": f"{tmp_path}/real/../link"}).json()["path"] == str(tmp_path / "real")


def test_brightrooms_own_root_can_be_seen_and_not_chosen(world: World) -> None:
    """With the reason."""
    told = world.as_user("root").get(ASKED, params={"path": str(world.settings.root)}).json()

    assert told["refused"].endswith((".", ")"))


def test_a_folder_of_very_many_is_told_in_part(world: World, tmp_path: Path) -> None:
    """The rest is reached by typing the path."""
    for number in range(2001):
        (tmp_path / f"{number:05}").mkdir()

    told = world.as_user("root").get(ASKED, params={"path": str(tmp_path)}).json()

    assert (len(told["folders"]), told["more"]) == (2000, True)
