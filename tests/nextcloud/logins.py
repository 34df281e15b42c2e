"""Who may log in to the stand-in: accounts, app passwords, and login flow v2. No HTTP here."""

import secrets
from dataclasses import dataclass, field

from tests.nextcloud.tree import Tree


@dataclass
class Account:
    """A user; they may log in by another name (their address, say) than the one in the addresses of their files."""

    user: str
    password: str = field(repr=False)
    login: str
    tree: Tree
    app_passwords: list[str] = field(default_factory=list, repr=False)

    def accepts(self, password: str) -> bool:
        """Whether a password is theirs."""
        return password == self.password or password in self.app_passwords


@dataclass
class Flow:
    """One login that waits in a browser."""

    poll_token: str = field(default_factory=lambda: secrets.token_urlsafe(96), repr=False)
    login_token: str = field(default_factory=lambda: secrets.token_urlsafe(96), repr=False)
    granted_to: Account | None = None
    app_password: str = field(default="", repr=False)


class Logins:
    """Accounts and waiting logins; counts the wrong passwords."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.flows: list[Flow] = []
        self.bad = 0

    def who(self, login: str, password: str) -> Account | None:
        """The account that a name and a password belong to; None, counted, where there is none."""
        for account in self.accounts.values():
            if login in (account.user, account.login) and account.accepts(password):
                return account
        self.bad += 1
        return None

    def begin(self) -> Flow:
        """A new login flow."""
        self.flows.append(Flow())
        return self.flows[-1]

    def grant(self, user: str, login_token: str | None = None) -> str:
        """Grant the newest flow, or the one with this token, as the user does in the browser; the app password."""
        flow = next(flow for flow in reversed(self.flows) if login_token in (None, flow.login_token))
        flow.granted_to = self.accounts[user]
        flow.app_password = "-".join(secrets.token_hex(3)[:5] for _ in range(5))
        flow.granted_to.app_passwords.append(flow.app_password)
        return flow.app_password

    def poll(self, token: str) -> Flow | None:
        """The flow with this token if it was granted, once: it is over then."""
        for flow in self.flows:
            if flow.poll_token == token and flow.granted_to is not None:
                self.flows.remove(flow)
                return flow
        return None

    def revoke(self, password: str) -> bool:
        """Make an app password void; whether there was one."""
        for account in self.accounts.values():
            if password in account.app_passwords:
                account.app_passwords.remove(password)
                return True
        return False
