"""The branches of the tree of settings, each for one part of Brightroom. The tree itself is in settings.py."""

import re
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def not_empty(path: Any) -> Any:
    """Refuse the empty path: to Python it is the working directory, to whoever wrote it it is none."""
    if path == "":
        raise PydanticCustomError("empty_path", "an empty path names no folder; name one, or leave the key out")
    return path


def gcs_address(address: Any) -> Any:
    """Refuse what Ray takes for something else than a cluster to join: one it starts, a client's or a web address."""
    if isinstance(address, str) and (not address or address == "local" or "://" in address):
        told = "this is not the address of a cluster's GCS; write it as host:6379, or auto for one on this machine"
        raise PydanticCustomError("gcs_address", told)
    return address


def network(given: str) -> str:
    """Refuse what is no network, no address and no host name: a slip here would allow nothing, in silence."""
    try:
        return str(ip_network(given))
    except ValueError:
        if (found := HOST_NAME.fullmatch(given)) and not found["last"].isdigit():
            return given.lower()
    told = "this is no network and no host name; write 192.168.1.0/24, fd12:3456::/32 or cloud.home.arpa"
    raise PydanticCustomError("network", told)


def schedule(expression: str) -> str:
    """Refuse what cron would not understand, and a sixth field, which says something else in each cron."""
    try:
        if len(expression.split()) == 5 and CronSim(expression, datetime(2000, 1, 1)):
            return expression
    except CronSimError:
        pass
    told = "this is no time as cron has it; write minute, hour, day, month and weekday: 30 3 * * * is half past three"
    raise PydanticCustomError("schedule", told)


def off(word: Any) -> Any:
    """The word `off`, which YAML takes for no."""
    return "off" if word is False else word


HOST_NAME = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*(?P<last>[A-Za-z0-9-]{1,63})", re.ASCII)
Folder = Annotated[Path, BeforeValidator(not_empty)]
GcsAddress = Annotated[str, BeforeValidator(gcs_address)]
Network = Annotated[str, AfterValidator(network)]
Schedule = Annotated[str, AfterValidator(schedule)]


class Part(BaseModel):
    """A branch of the tree: frozen, and an unknown key is an error, as is an infinity and what is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StoreSettings(Part):
    """Where photos' records and derived pictures are kept, and how often the writer tidies up."""

    optimize_every: int = Field(20, ge=1, description="commits between two compactions of a table")
    keep_versions_s: float = Field(3600, ge=0, description="old table versions younger than this are kept")
    fresh_s: float = Field(1.0, ge=0, description="a reader sees other processes' commits at most this late")
    trash_days: float = Field(
        30, ge=0, le=36500,
        description="photos stay in the trash so long, and saved metadata can be undone so long; then they are purged",
    )  # fmt: skip


class RaySettings(Part):
    """How to reach Ray, or how to start a head of our own."""

    address: GcsAddress | None = Field(None, description="an existing cluster's GCS address; none starts a head here")
    port: int = Field(0, ge=0, le=65535, description="GCS port of a head started here; 0 takes a free one")
    dashboard_port: int = Field(0, ge=0, le=65535, description="dashboard port, on loopback; 0 takes a free one")
    dashboard: str | None = Field(None, description="an existing cluster's dashboard, for jobs: http://host:8265")
    namespace: str = Field("brightroom", description="Ray namespace of our actors")
    num_cpus: int | None = Field(None, ge=2, description="logical CPUs of a head started here; none lets Ray look")
    num_gpus: int | None = Field(None, ge=0, description="GPUs of a head started here; none lets Ray look")
    object_store_mb: int = Field(500, ge=80, description="shared memory for batches on their way")
    temp_dir: Folder | None = Field(None, description="where Ray's scratch folder is made; short, sockets live in it")
    start_timeout_s: float = Field(90, gt=0, description="how long a head may take to answer")


class ApiSettings(Part):
    """The HTTP server and what guards its door."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    allowed_hosts: list[str] = Field(["localhost", "127.0.0.1"], description="Host headers answered, exact")
    trusted_proxies: list[str] = Field([], description="peers whose X-Forwarded-For is believed")
    secure_cookies: bool = Field(False, description="session cookies only over https; on behind TLS")
    session_days: float = Field(30, gt=0, description="a session ends after this long without use")
    login_attempts: int = Field(5, ge=1, description="failed logins before an account or address must wait")
    page_size: int = Field(100, ge=1, le=500, description="rows of a page when a request does not say")
    upload_mb: int = Field(50, ge=1, description="a request with a picture to search by is refused over this")


class MediaSettings(Part):
    """Sizes of derived pictures, and the limits under which untrusted bytes are decoded."""

    preview_px: int = Field(1440, ge=256, le=8192, description="longest side of the preview")
    big_px: int = Field(500, ge=64, description="longest side of the big thumbnail")
    square_px: int = Field(250, ge=32, description="side of the square thumbnail")
    small_px: int = Field(120, ge=16, description="longest side of the small thumbnail")
    quality: int = Field(80, ge=1, le=100, description="JPEG and WebP quality of derived pictures")
    max_pixels: int = Field(250_000_000, ge=1, description="a picture with more pixels is refused from its header")
    max_file_mb: int = Field(2048, ge=1, description="a picture file over this is refused; videos are streamed")
    memory_mb: int = Field(1536, ge=256, description="address space of the decode child")
    wall_s: float = Field(30, gt=0, description="seconds a file may take before its child is killed")
    cpu_s: int = Field(30, ge=1, description="CPU seconds a file may take")
    recycle_after: int = Field(500, ge=1, description="files after which a child is replaced")
    child: tuple[str, ...] = Field(
        ("-m", "serve_apps.media.child"), description="the decode child's program, as Python's arguments"
    )


class ScanSettings(Part):
    """How a scan walks, splits and computes."""

    inference: Literal["serve", "actors"] = Field("serve", description="models in Serve replicas, or in own actors")
    skip: list[str] = Field(
        [".*", "@eaDir", "#recycle", "Thumbs.db", "*.tmp", "*.part"],
        description="globs: a file or folder whose name, or path below the root, matches is left out",
    )
    chunk_files: int = Field(2000, ge=1, description="files listed before their changes are ingested")
    chunk_photos: int = Field(2000, ge=1, description="photos analysed between two looks at pause and cancel")
    batch_size: int = Field(16, ge=1, description="photos read, computed and committed together")
    ingest_workers: int = Field(0, ge=0, description="decode children at work at once; 0: as many as there are CPUs")
    analyse_workers: int = Field(0, ge=0, description="batches in flight through models; 0: one a CPU, at most 8")
    analysis_px: int = Field(720, ge=224, description="longest side of what the models see")
    call_timeout_s: float = Field(300, gt=0, description="deadline of one batch at one model")
    turn_s: float = Field(60, gt=0, description="a scan works so long before it rests for another owner's that waits")
    watch: Annotated[Literal["off", "auto"], BeforeValidator(off)] = Field(
        "off", description="auto: scan a folder when something in it has changed"
    )
    poll_s: float = Field(1800, ge=10, description="between two scans of a watched folder that cannot tell of changes")
    schedule: Schedule | None = Field(None, description="when to scan everybody's folder, as cron has it: 30 3 * * *")
    vanish_share: float = Field(
        0.2, ge=0, le=1, description="when more than this share of known files is gone at once, none is marked missing"
    )


class NextcloudSettings(Part):
    """Other servers that photos come from: which may be talked to, and what is kept of theirs."""

    allowed_networks: list[Network] = Field(
        [], description="private networks and host names that users' servers may be in; none but public ones otherwise"
    )
    plain_http: bool = Field(False, description="allow servers without TLS: everybody on the way reads the password")
    downloads: int = Field(4, ge=1, le=32, description="files of one user fetched at once")
    keep_originals: bool = Field(True, description="false: only derived pictures stay, originals are streamed")
    least_free_gb: float = Field(2, ge=0, description="downloads stop before less than this is free on the disk")
    key_file: Folder | None = Field(
        None, description="the key that passwords are sealed with, of mode 0400; none: keys/nextcloud in the root"
    )
