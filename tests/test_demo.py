"""The demo says the truth to whoever runs it: its exit status, and where to look afterwards."""

from cluster.settings import ApiSettings
from tests.demo import how_to_open, status


def test_only_a_scan_that_is_done_is_a_success():
    """Any other end of it is exit status 1."""
    assert [status(state) for state in ("done", "failed", "interrupted", "paused", "cancelled")] == [0, 1, 1, 1, 1]


def test_the_address_to_look_at_is_that_of_the_settings():
    """Not the demo's own, which is gone by then."""
    assert "http://127.0.0.1:8000/schema" in how_to_open(ApiSettings())
    assert "http://[::1]:9000/schema" in how_to_open(ApiSettings(host="::1", port=9000))
