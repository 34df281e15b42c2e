"""Every page."""

from litestar.types import ControllerRouterHandler

from api.pages import admin, cluster, door, library, photo, photos
from api.pages.assets import asset
from api.pages.posting import send_form
from api.pages.reports import csp_report

PAGES: list[ControllerRouterHandler] = [
    *admin.HANDLERS, *cluster.HANDLERS, *door.HANDLERS, *library.HANDLERS, *photos.HANDLERS, *photo.HANDLERS,
    asset, send_form, csp_report,
]  # fmt: skip
