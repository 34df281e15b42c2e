"""The application: every route, what guards them, and the objects they share. Starts nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from lancedb.expr import col
from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from ray.exceptions import RayError

from api import (
    about,
    actions,
    auth,
    cluster,
    confidence,
    events,
    faces,
    jobs,
    library,
    logs,
    people,
    server,
    services,
    users,
)
from api.access import permit
from api.acts import ROUTES as ACTS
from api.captions import caption
from api.consents import Consents
from api.cookies import cookie_name
from api.deps import Deps
from api.errors import HANDLERS
from api.feed import Feed
from api.figures import sources
from api.folders import list_folders
from api.gate import Gate
from api.headers import guard_answer
from api.history import History
from api.limits import AskingLimit, LoginLimit
from api.logins import Logins
from api.methods import Bodiless, Methods
from api.metrics import Metrics, healthz, show_metrics
from api.neighbours import neighbours
from api.nextcloud import ROUTES as NEXTCLOUD
from api.node_figures import Measured
from api.pages.faults import for_browsers
from api.pages.inside import client_of
from api.pages.page import templates
from api.pages.reports import Reports
from api.pages.routes import PAGES
from api.photos import list_photos, show_photo
from api.pictures import original, thumbnail
from api.remaking import Remaking
from api.schema import openapi
from api.search import ROUTES as SEARCH
from api.search import similar
from api.search_image import routes as picture_search
from api.settings import show_settings
from api.setup import ROUTES as SETUP
from api.setup import Setup
from api.storage import Storages
from api.suggestions import ROUTES as SUGGESTIONS
from api.timeline import list_months, list_tiles
from api.trash import ROUTES as TRASH
from api.uploads import Uploads
from api.vocabulary import Vocabularies
from batch import acts
from batch.connections import Connections
from batch.former import Formers
from batch.mirror import mirror_of
from batch.trash import purge
from batch.turns import SCAN_NEXTCLOUD
from batch.unused import forget_unused
from cluster.errors import BrightroomError
from cluster.store.database import Library
from cluster.store.jobs import LIVE
from cluster.store.storage import begun
from cluster.store.users import User

THREADS = 32
TIDY_EVERY_S = 3600
log = logging.getLogger(__name__)

TROUBLES = (BrightroomError, RayError, RuntimeError, OSError)  # of a store or cluster that is away
BODY_BYTES = 64 * 1024  # of a request; routes that need more say so

PHOTOS = Router(
    "/api/photos",
    route_handlers=[
        list_photos,
        list_months,
        list_tiles,
        show_photo,
        neighbours,
        thumbnail,
        original,
        similar,
        caption,
    ],
    tags=["photos"],
)
ROUTES: list[ControllerRouterHandler] = [
    auth.ROUTES, users.ROUTES, library.ROUTES, jobs.ROUTES, PHOTOS, SEARCH, services.ROUTES, cluster.ROUTES,
    actions.ROUTES, events.ROUTES, people.ROUTES, about.ROUTES, faces.ROUTES, confidence.ROUTES, logs.ROUTES,
    server.ROUTES, ACTS, TRASH, NEXTCLOUD, SETUP, SUGGESTIONS,
    Router("/api/server", route_handlers=[list_folders, show_settings], tags=["server"]),
    show_metrics, healthz, *PAGES,
]  # fmt: skip


def create_app(deps: Deps) -> Litestar:
    """The HTTP application over these collaborators. Closing `feed` and `history` of its state ends event streams."""
    logins = Logins(deps.system, deps.settings.store.fresh_s)
    feed = Feed(lambda: jobs.looked_at(deps))
    measured, storages = Measured(deps.cluster), Storages(deps.settings, deps.library)
    connections = deps.connections or Connections(deps.settings, deps.system)
    metrics = Metrics(feed, version(), deps.build, sources(deps, measured, storages))
    shared = {
        "deps": deps, "logins": logins, "login_limit": LoginLimit(deps.system.attempts), "feed": feed,
        "metrics": metrics, "version": version(), "history": History(measured),
        "storages": storages, "uploads": Uploads(deps.settings), "connections": connections,
        "asking": AskingLimit(deps.system.attempts), "waiting": Consents(connections),
        "remaking": Remaking(deps.settings, deps.library, deps.writer),
        "setup": Setup(deps.settings, deps.system), "vocabularies": Vocabularies(),
    }  # fmt: skip
    app = Litestar(
        [*ROUTES, picture_search(deps.settings.api)],
        dependencies={**{name: given(value) for name, value in shared.items()}, **ABOUT_THE_USER},
        middleware=[Bodiless(), metrics, Gate(deps.settings.api, logins)],
        plugins=[Methods()],
        guards=[permit],
        exception_handlers=for_browsers(HANDLERS),
        template_config=templates(),
        before_send=[guard_answer],
        request_max_body_size=BODY_BYTES,
        openapi_config=openapi(version(), cookie_name(deps.settings.api)),
        on_startup=[widen_threads],
        lifespan=[tidying, sampling, receiving],
        logging_config=None,
        debug=False,
    )
    app.state.connections, app.state.inside, app.state.reports = connections, client_of(app), Reports()
    app.state.deps, app.state.feed, app.state.history = deps, feed, shared["history"]
    app.state.uploads, app.state.remaking = shared["uploads"], shared["remaking"]
    return app


async def widen_threads() -> None:
    """Give blocking calls more threads than Python's few per core: most of them wait for a disk or for the cluster."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="api"))


@asynccontextmanager
async def tidying(app: Litestar) -> AsyncIterator[None]:
    """While the application runs, forget now and then what need not be remembered."""
    task = asyncio.create_task(tidy(app.state.deps))
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def sampling(app: Litestar) -> AsyncIterator[None]:
    """While the application runs, note every few seconds how busy the cluster is."""
    task = asyncio.create_task(app.state.history.keep_sampling())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def receiving(app: Litestar) -> AsyncIterator[None]:
    """While the application runs, pictures that people send have a place to arrive in."""
    await asyncio.to_thread(app.state.uploads.open)
    try:
        yield
    finally:
        await asyncio.to_thread(app.state.uploads.close)
        await asyncio.to_thread(app.state.connections.close)
        await asyncio.to_thread(app.state.remaking.close)


async def tidy(deps: Deps) -> None:
    """Forget ended sessions, old failed logins and what was long enough in the trash, at once and every hour."""
    while True:
        for work in (deps.system.tidy, lambda: empty_trashes(deps)):
            try:
                await asyncio.to_thread(work)
            except TROUBLES:
                log.warning("not everything could be tidied; trying again in an hour", exc_info=True)
        await asyncio.sleep(TIDY_EVERY_S)


def empty_trashes(deps: Deps) -> None:
    """Purge from everybody's trash what has been there for `store.trash_days`, and acts that old; blocks."""
    before = deps.system.clock() - timedelta(days=deps.settings.store.trash_days)
    for user in deps.system.users.list():
        Formers(deps.settings, user.user_id).purge(before)
        if not begun(deps.settings, user.user_id):
            continue
        try:
            empty_trash(deps, user, before)
        except TROUBLES:
            log.warning("the trash of %s could not be emptied; trying again in an hour", user.user_id, exc_info=True)


def empty_trash(deps: Deps, user: User, before: datetime) -> None:
    """Purge a library of what is that old; its writer is only started when there is anything."""
    library, now = deps.library(user.user_id), deps.system.clock()
    if len(library.trash.older(before, ["record_id"])):
        purge(deps.settings, user.user_id, library, deps.writer(user.user_id), now)
    if library.acts.outlived(before):
        acts.purge(library, deps.writer(user.user_id), before)
    scanning = deps.system.jobs.list(user.user_id, 1, states=LIVE, action=SCAN_NEXTCLOUD)  # what is gone may come back
    if not scanning and library.remotes.count(col("gone")):
        forget_unused(library, deps.writer(user.user_id), mirror_of(deps.settings, user.name), now - before, now)


def given(value: Any) -> Provide:
    """A dependency that is always the same object."""
    return Provide(lambda: value, sync_to_thread=False)


def current_user(request: Request[Any, Any, Any]) -> User:
    """Who is logged in; the guard has seen to it that somebody is."""
    user: User = request.user
    return user


async def own_library(request: Request[Any, Any, Any]) -> Library:
    """The library of whoever is logged in, opened off the event loop at its first use."""
    deps: Deps = request.app.state.deps
    return await asyncio.to_thread(deps.library, request.user.user_id)


ABOUT_THE_USER = {
    "user": Provide(current_user, sync_to_thread=False),
    "owned": Provide(own_library),
}


def version() -> str:
    """The installed version of Brightroom."""
    try:
        return installed("brightroom")
    except PackageNotFoundError:
        return "0"
