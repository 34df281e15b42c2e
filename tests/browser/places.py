"""Every page there is. What is named here is looked at in all sizes, light and dark, and judged by axe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A page: what it is called, where it is (with `{ids}` of Site.ids), and what is on it for sure."""

    name: str
    path: str
    sees: str  # a selector
    user: str = "ada"  # "" for nobody


PLACES = [
    Place("login", "/login", "form[action='/login']", ""),
    Place("photos", "/", "h1"),
    Place("photo", "/photos/{photo}", "h1"),
    Place("similar", "/photos/{photo}/similar", "h1"),
    Place("people", "/people", "h1"),
    Place("person", "/people/{person}", "h1"),
    Place("acts", "/people/acts", "h1"),
    Place("events", "/events", "h1"),
    Place("event", "/events/{event}", "h1"),
    Place("search", "/search?q=a+cat", "h1"),
    Place("search-nothing", "/search?q=zzzzzz&kind=video", "h1"),
    Place("library", "/library", "[data-tiles]"),
    Place("plan", "/library/delete-missing", "h1"),
    Place("job", "/jobs/{job}", "h1"),
    Place("trash", "/trash", "h1"),
    Place("account", "/account", "[data-themes]"),
    Place("welcome", "/welcome", ".steps"),
    Place("fault", "/nowhere", ".fault"),
    Place("admin", "/admin", "h1"),
    Place("admin-service", "/admin/services/clip_embeddings", "h1"),
    Place("admin-cluster", "/admin/cluster", "h1"),
    Place("admin-users", "/admin/users", "h1"),
    Place("admin-jobs", "/admin/jobs", "h1"),
    Place("admin-logs", "/admin/logs", "h1"),
    Place("admin-settings", "/admin/settings", "h1"),
    Place("library-of-ben", "/library", "[data-tiles]", "ben"),
    Place("photos-of-ben", "/", "h1", "ben"),
    Place("people-of-ben", "/people", "h1", "ben"),
]
