"""Which services a stage of a scan waits for, and what to say of it. How services are, is handed in."""

from collections.abc import Mapping

from cluster.settings import SERVICE_OF

COMING = ("healthy", "starting", "degraded", "unhealthy")  # a service that answers now, or will
READING = (*COMING, "unconfigured")  # as they may be: a scan reads files without them, unless somebody stopped that
READERS = ("thumbnail", "exif")  # the services whose work pass one is


def why_waiting(stage: str, states: Mapping[str, str]) -> str:
    """What a stage waits for, and what to do about it."""
    services, well = (READERS, READING) if stage == "thumbnails" else ((SERVICE_OF[stage],), COMING)
    away = next((service for service in services if states[service] not in well), "")
    if not away:
        return "its service was away or changed meanwhile; scan again"
    return f"service {states[away]}; start {away} and scan again"
