"""The cookie that carries a session: out of reach of scripts, not sent by other sites' forms, for the whole site."""

from datetime import timedelta

from litestar.datastructures import Cookie

from cluster.settings import ApiSettings

PLAIN = "brightroom_session"


def cookie_name(settings: ApiSettings) -> str:
    """What the cookie is called; browsers take a `__Host-` one from this very host over TLS only."""
    return f"__Host-{PLAIN}" if settings.secure_cookies else PLAIN


def session_cookie(token: str, settings: ApiSettings) -> Cookie:
    """The cookie that a browser keeps as long as the session lasts when it is not used."""
    return made(token, int(timedelta(days=settings.session_days).total_seconds()), settings)


def expired_cookie(settings: ApiSettings) -> Cookie:
    """The cookie that makes a browser forget the session."""
    return made("", 0, settings)


def made(value: str, max_age: int, settings: ApiSettings) -> Cookie:
    """The cookie with a value and a lifetime in seconds."""
    return Cookie(
        cookie_name(settings), value=value, max_age=max_age, httponly=True, samesite="lax",
        secure=settings.secure_cookies,
    )  # fmt: skip
