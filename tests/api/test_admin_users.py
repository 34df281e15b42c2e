"""The page of users: new ones, their rights, passwords and folders, by plain forms."""

import re

import httpx
import pytest

from tests.api.reading import sent, text_of
from tests.api.world import CHEAP, PASSWORD, World

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def admin(fresh: World) -> httpx.Client:
    """An administrator's browser."""
    return fresh.client(fresh.token("root"), Accept="text/html")


def test_a_made_password_is_shown_once_and_opens_the_door(fresh: World, admin: httpx.Client):
    """It is on the answer alone; the user is there with their folder."""
    folder = fresh.root / "photos" / "kim"
    folder.mkdir(parents=True)

    page = admin.post("/admin/users", data={"name": "kim", "choice": "made", "scan_directory": str(folder)})
    password = re.search(r"data-password>([a-z0-9-]{23})<", page.text)

    assert page.status_code == 200
    assert password
    login = {"name": "kim", "password": password[1]}
    assert fresh.client().post("/api/auth/login", json=login).status_code == 200
    assert password[1] not in admin.get("/admin/users").text
    assert str(folder) in admin.get("/admin/users").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "kim", "choice": "typed", "password": PASSWORD, "again": "other"}, "not the same"),
        ({"name": "kim", "choice": "typed", "password": "short", "again": "short"}, "8 to 1024"),
        ({"name": "ANN", "choice": "made"}, "name"),
        ({"name": "kim", "choice": "made", "scan_directory": "nowhere"}, "folder"),
        ({}, "name"),
    ],
)
def test_a_user_that_cannot_be_is_told_why(admin: httpx.Client, fields: dict[str, str], said: str):
    """On the form, which keeps what was typed, but no password; and nobody was made."""
    page = admin.post("/admin/users", data=fields, headers=FORM)

    assert page.status_code == 400
    assert said in text_of(page.text)
    assert f'value="{fields.get("name", "")}"' in page.text
    assert PASSWORD not in page.text
    assert [user["name"] for user in admin.get("/api/users").json()] == ["ann", "root"]


def test_rights_and_log_in_change_by_forms(fresh: World, admin: httpx.Client):
    """Disabling ends sessions; nobody locks themselves out."""
    ann, root = fresh.users["ann"].user_id, fresh.users["root"].user_id
    browser = fresh.as_user("ann")

    sent(admin, f"PATCH /api/users/{ann}", **{"admin:bool": "true"})
    assert browser.get("/admin").status_code == 200
    sent(admin, f"PATCH /api/users/{ann}", **{"admin:bool": "false"})
    assert browser.get("/admin").status_code == 403
    sent(admin, f"PATCH /api/users/{ann}", **{"disabled:bool": "true"})
    assert browser.get("/api/auth/me").status_code == 401
    assert "disabled" in text_of(admin.get(f"/admin/users/{ann}").text)
    assert f"/api/users/{root}" not in admin.get(f"/admin/users/{root}").text.split('id="folder"')[0]


def test_a_reset_password_is_another_one(fresh: World, admin: httpx.Client):
    """The former one and all sessions are void; what was typed wrongly changes nothing."""
    ann, browser = fresh.users["ann"].user_id, fresh.as_user("ann")
    fresh.system.users.set_password(ann, CHEAP.hash(PASSWORD))

    wrong = admin.post(f"/admin/users/{ann}/password", data={"choice": "typed", "password": "a", "again": "b"})
    assert wrong.status_code == 400
    assert browser.get("/api/auth/me").status_code == 200

    page = admin.post(f"/admin/users/{ann}/password", data={"choice": "made"})
    password = re.search(r"data-password>([^<]+)<", page.text)
    assert password
    assert browser.get("/api/auth/me").status_code == 401
    login = fresh.client().post("/api/auth/login", json={"name": "ann", "password": password[1]})
    assert login.status_code == 200


def test_a_folder_is_chosen_by_going_there(fresh: World, admin: httpx.Client):
    """The page lists folders and takes the one that is shown; for that user, not for whoever asks."""
    ann = fresh.users["ann"].user_id
    place = fresh.root / "photos" / "more"
    place.mkdir(parents=True)

    page = admin.get(f"/admin/users/{ann}", params={"folder": str(place)}).text

    assert f'value="PATCH /api/users/{ann}"' in page
    assert f'name="scan_directory" value="{place}"' in page
    assert f"/api/users/{fresh.users['root'].user_id}" not in page
