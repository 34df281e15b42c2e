"""Users as administrators manage them."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.test_auth import login, new_address
from tests.api.world import PASSWORD, World


def test_a_created_user_can_log_in_and_has_an_empty_library(world: World, tmp_path: Path) -> None:
    """With the scan directory that the administrator chose, and no secret in any answer."""
    admin = world.as_user("root")

    made = admin.post("/api/users", json={"name": "Käthe", "password": PASSWORD, "scan_directory": str(tmp_path)})

    assert made.status_code == 201
    assert made.json()["scan_directory"] == str(tmp_path)
    assert set(made.json()) == {"user_id", "name", "admin", "disabled", "scan_directory", "created_at"}
    token = login(world.client(**new_address()), "KÄTHE", bearer=True).json()["token"]
    assert world.client(token).get("/api/photos").json() == {"photos": [], "next_cursor": None, "previous_cursor": None}
    assert "Käthe" in [user["name"] for user in admin.get("/api/users").json()]


def test_a_taken_name_is_a_conflict_in_any_case(world: World) -> None:
    """Two accounts must not look alike."""
    answer = world.as_user("root").post("/api/users", json={"name": "ANN", "password": PASSWORD})

    assert answer.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "password": PASSWORD},
        {"name": "x" * 65, "password": PASSWORD},
        {"name": "line\nend", "password": PASSWORD},
        {"name": "kim", "password": "short"},
        {"name": "kim", "password": "x" * 1025},
        {"name": "kim", "password": PASSWORD, "scan_directory": "relative"},
        {"name": "kim", "password": PASSWORD, "scan_directory": "/not/there"},
        {"name": "kim", "password": PASSWORD, "scan_directory": "/tmp\u0000"},
        {"name": "kim", "password": PASSWORD, "user_id": "0" * 32},
        {"name": "kim"},
    ],
)
def test_a_user_that_cannot_be_is_refused(world: World, body: dict[str, Any]) -> None:
    """And is not there afterwards."""
    admin = world.as_user("root")

    assert admin.post("/api/users", json=body).status_code == 400
    assert "kim" not in [user["name"] for user in admin.get("/api/users").json()]


def test_brightrooms_own_data_is_no_scan_directory(world: World) -> None:
    """Neither its folder, nor one inside it, nor one around it: a library must not scan itself."""
    admin, root = world.as_user("root"), world.settings.root
    inside = root / "derived"
    inside.mkdir(exist_ok=True)
    link = world.root / "detour"
    link.symlink_to(inside)

    for folder in (root, inside, root.parent, link):
        path = f"/api/users/{world.users['ben'].user_id}"
        assert admin.patch(path, json={"scan_directory": str(folder)}).status_code == 400, folder


def test_a_change_leaves_what_it_does_not_name(world: World, tmp_path: Path) -> None:
    """Only the scan directory here; and an empty one takes it away."""
    user = world.user("lena")
    admin, path = world.as_user("root"), f"/api/users/{user.user_id}"

    changed = admin.patch(path, json={"scan_directory": str(tmp_path)}).json()
    cleared = admin.patch(path, json={"scan_directory": ""}).json()

    assert (changed["scan_directory"], changed["admin"], changed["disabled"]) == (str(tmp_path), False, False)
    assert cleared["scan_directory"] == ""
    assert admin.get(path).json() == cleared


def test_rights_are_given_and_taken_at_once(world: World) -> None:
    """On the next request of a session that is open already."""
    user = world.user("mona")
    admin, mona = world.as_user("root"), world.as_user("mona")
    assert mona.get("/api/users").status_code == 403

    admin.patch(f"/api/users/{user.user_id}", json={"admin": True})
    assert mona.get("/api/users").status_code == 200

    admin.patch(f"/api/users/{user.user_id}", json={"admin": False})
    assert mona.get("/api/users").status_code == 403


@pytest.mark.parametrize("change", [{"disabled": True}, {"admin": False}])
def test_an_administrator_cannot_lock_themselves_out(world: World, change: dict[str, bool]) -> None:
    """There would be nobody left to undo it."""
    user_id = world.users["root"].user_id

    assert world.as_user("root").patch(f"/api/users/{user_id}", json=change).status_code == 409
    assert world.as_user("root").get("/api/users").status_code == 200


def test_a_reset_password_ends_all_sessions(world: World) -> None:
    """Whoever was in is out, and only the new password works."""
    user = world.user("nils")
    nils = world.as_user("nils")

    answer = world.as_user("root").post(f"/api/users/{user.user_id}/password", json={"password": "a new password"})

    assert answer.status_code == 204
    assert nils.get("/api/auth/me").status_code == 401
    assert login(world.client(**new_address()), "nils").status_code == 401
    assert login(world.client(**new_address()), "nils", "a new password").status_code == 200


def test_an_enabled_user_gets_back_in(world: World) -> None:
    """With the same library; the ended sessions stay ended."""
    user = world.user("olga")
    olga, admin = world.as_user("olga"), world.as_user("root")
    admin.patch(f"/api/users/{user.user_id}", json={"disabled": True})

    admin.patch(f"/api/users/{user.user_id}", json={"disabled": False})

    assert olga.get("/api/auth/me").status_code == 401
    assert login(world.client(**new_address()), "olga").status_code == 200


def test_no_answer_has_a_password_hash(world: World) -> None:
    """Not for users, not for oneself, not for administrators."""
    admin = world.as_user("root")
    answers = [
        admin.get("/api/users"),
        admin.get("/api/auth/me"),
        admin.get(f"/api/users/{world.users['ann'].user_id}"),
    ]

    assert not any("argon2" in answer.text or "hash" in answer.text for answer in answers)
