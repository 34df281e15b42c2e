"""Every page."""

from litestar.types import ControllerRouterHandler

from api.pages import admin, cluster, door, events, library, logs, people, photo, photos, runs, search, trash, users
from api.pages.assets import asset
from api.pages.posting import send_form
from api.pages.reports import csp_report

PAGES: list[ControllerRouterHandler] = [
    *admin.HANDLERS, *cluster.HANDLERS, *users.HANDLERS, *runs.HANDLERS, *logs.HANDLERS,
    *door.HANDLERS, *library.HANDLERS, *photos.HANDLERS, *photo.HANDLERS, *search.HANDLERS, *people.HANDLERS,
    *events.HANDLERS, *trash.HANDLERS, asset, send_form, csp_report,
]  # fmt: skip
