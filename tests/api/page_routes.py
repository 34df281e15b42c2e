"""Every page and form with what it answers to an anonymous caller, a user and an administrator; a page adds its line.

A body that is text is sent as a form. Programs get problem documents where browsers are sent to log in.
"""

from typing import Any

USER, ADMIN = (401, 200, 200), (401, 403, 200)
PAGES: list[tuple[str, str, Any, tuple[int, int, int]]] = [
    ("GET", "/", None, USER),
    ("GET", "/login", None, (200, 303, 303)),
    ("POST", "/login", "name=ann&password=correct+horse+battery", (303, 303, 303)),
    ("POST", "/logout", None, (401, 303, 303)),
    ("GET", "/setup", None, (303, 303, 303)),
    ("POST", "/setup", "code=x", (400, 400, 400)),
    ("GET", "/welcome", None, USER),
    ("GET", "/account", None, USER),
    ("GET", "/library", None, USER),
    ("GET", "/library/{action}", None, (401, 400, 400)),
    ("GET", "/nextcloud", None, (401, 404, 404)),
    ("GET", "/jobs/{job_id}", None, (401, 404, 404)),
    ("GET", "/people", None, USER),
    ("GET", "/people/acts", None, USER),
    ("GET", "/people/{person_id}", None, (401, 404, 404)),
    ("GET", "/events", None, USER),
    ("GET", "/events/{event_id}", None, (401, 404, 404)),
    ("GET", "/photos/{photo_id}", None, (401, 404, 404)),
    ("GET", "/photos/{photo_id}/similar", None, (401, 404, 404)),
    ("GET", "/search", None, USER),
    ("GET", "/search/image", None, USER),
    ("POST", "/search/image", None, (401, 400, 400)),
    ("GET", "/trash", None, USER),
    ("GET", "/admin", None, ADMIN),
    ("GET", "/admin/services.json", None, ADMIN),
    ("GET", "/admin/services/{name}", None, (401, 403, 404)),
    ("GET", "/admin/cluster", None, ADMIN),
    ("GET", "/admin/cluster.json", None, ADMIN),
    ("GET", "/admin/users", None, ADMIN),
    ("POST", "/admin/users", "name=", (401, 403, 400)),
    ("GET", "/admin/users/new", None, ADMIN),
    ("GET", "/admin/users/{user_id}", None, (401, 403, 404)),
    ("POST", "/admin/users/{user_id}/password", "choice=made", (401, 403, 404)),
    ("GET", "/admin/jobs", None, ADMIN),
    ("GET", "/admin/logs", None, ADMIN),
    ("GET", "/admin/settings", None, ADMIN),
    ("GET", "/assets/{digest}/{name}", None, (404, 404, 404)),
    ("POST", "/form", "_to=nowhere", (401, 400, 400)),
    ("POST", "/csp-reports", None, (204, 204, 204)),
]
