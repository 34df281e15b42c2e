"""How tests are shared out between workers."""

import pytest

from tests.conftest import REPOSITORY, SHARING


def test_every_file_that_uses_the_brightroom_of_the_session_is_in_sharing(request: pytest.FixtureRequest):
    """Another worker would start a second one."""
    using = [item for item in request.session.items if "brightroom" in getattr(item, "fixturenames", ())]

    assert {item.nodeid.partition("::")[0] for item in using} <= SHARING
    assert all((REPOSITORY / file).is_file() for file in SHARING)
