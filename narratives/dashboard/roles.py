"""Who uses the dashboard, and what they may do: viewers read, reviewers decide, editors also change what is built.

Without `[auth]` in Streamlit's secrets there is one local user, with all roles, and only if the server can be reached
from this machine alone. With `[auth]`, Streamlit logs users in (OpenID Connect), and `[roles]` says who is who.
Whatever writes calls `require` where it writes, not only where its button is drawn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st

from narratives.dashboard import cached_queries
from narratives.model import AccessError
from narratives.render import phrases
from narratives.workflows.review import get_login

Role = Literal["viewer", "reviewer", "editor"]  # in rising order: each may do what those before it may
READ_ONLY_VARIABLE = "NARRATIVES_READ_ONLY"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ROLES: tuple[Role, ...] = get_args(Role)
FORWARDED_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


@dataclass(frozen=True, slots=True)
class User:
    """The user of this session. `name` stands in the decisions log; `note` says why there are no more rights."""

    name: str
    role: Role
    note: str = ""
    has_login: bool = False
    logged_in: bool = False

    def may(self, role: Role) -> bool:
        """Return whether the user has this role, or one that includes it."""
        return _ROLES.index(self.role) >= _ROLES.index(role)


def get_user() -> User:
    """Return the user of this session. Nothing of it comes from the browser except a login that Streamlit verified."""
    user = _identify_user()
    if cached_queries.is_published() and user.role != "viewer":
        return User(user.name, "viewer", "This is a published store.", user.has_login, user.logged_in)
    if is_read_only() and user.role != "viewer":
        return User(user.name, "viewer", f"{READ_ONLY_VARIABLE} is set.", user.has_login, user.logged_in)
    return user


def require(role: Role) -> User:
    """Return the user. Raises AccessError if the user's role does not include `role`."""
    user = get_user()
    if not user.may(role):
        hint = user.note or "Ask for the role: docs/review.md says how it is given."
        raise AccessError(f"the role {role}", f"the role {user.role}", hint)
    return user


def is_read_only() -> bool:
    """Return whether the environment forbids every change from the dashboard."""
    return os.environ.get(READ_ONLY_VARIABLE, "0").strip().lower() not in ("", "0", "no", "false")


def draw_account() -> None:
    """Draw who is logged in, a button to log in or out, and why the dashboard is read-only if it is."""
    user = get_user()
    with st.sidebar:
        if user.note:
            st.caption(phrases.escape_markdown(f"Read-only. {user.note}"))
        if user.logged_in:
            st.text(f"{user.name} · {user.role}")  # in Markdown, an address would become a link
            st.button("Log out", on_click=st.logout, type="tertiary", icon=":material/logout:", key="log-out")
        elif user.has_login:
            st.button("Log in", on_click=st.login, icon=":material/login:", key="log-in")


def _identify_user() -> User:
    secrets = _load_secrets()
    if secrets is None:
        return User("", "viewer", "The secrets file cannot be read, so nobody can be identified.")
    if "auth" in secrets:
        return _identify_logged_in(
            dict(st.user.to_dict()), secrets.get("roles", {}), _list_applications(secrets["auth"])
        )
    if reason := _find_outside_access():
        return User("", "viewer", f"{reason} To let people change anything, configure a login.")
    return User(get_login(), "editor")


def _load_secrets() -> Mapping[str, Any] | None:
    """Return Streamlit's secrets, empty if there is no file, None if a file is there but cannot be read."""
    if st.secrets.load_if_toml_exists():
        return st.secrets
    files: Sequence[str] = st.get_option("secrets.files") or ()
    return None if any(Path(file).exists() for file in files) else {}


def _list_applications(auth: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids under which the providers know this dashboard; there may be a section for each provider."""
    sections = [auth, *(section for section in auth.values() if isinstance(section, Mapping))]
    return frozenset(str(section["client_id"]) for section in sections if "client_id" in section)


def _identify_logged_in(claims: Mapping[str, Any], table: Mapping[str, Any], applications: frozenset[str]) -> User:
    """Return the user with these claims of an identity token. An e-mail counts only if the provider verified it.

    Streamlit checks the signature of the token at the login, and keeps its claims in a cookie for 30 days. So the time
    at which the token expires is looked at here, and also for whom it was made.
    """
    if claims.get("is_logged_in") is not True:
        return User("", "viewer", "Log in to review.", has_login=True)
    audience = claims.get("aud") or ()
    if not applications & ({audience} if isinstance(audience, str) else {str(one) for one in audience}):
        return User("", "viewer", "Your login is for another application. Log in to this one.", has_login=True)
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= time.time():
        return User("", "viewer", "Your login has expired. Log in again.", has_login=True)
    email = str(claims.get("email") or "").strip().lower() if claims.get("email_verified") is True else ""
    given = claims.get(str(table.get("claim", ""))) or ()
    groups = {given} if isinstance(given, str) else {str(one) for one in given}
    name = email or " ".join(str(claims[key]) for key in ("iss", "sub") if claims.get(key))
    for role in reversed(_ROLES[1:]):
        listed = {str(one).strip().lower() for one in table.get(f"{role}s", ())}
        named = {str(one) for one in table.get(f"{role}_claims", ())}
        if name and (email in listed - {""} or groups & named):
            return User(name, role, has_login=True, logged_in=True)
    return User(name, "viewer", "Your account has no role that may change anything.", has_login=True, logged_in=True)


def _find_outside_access() -> str:
    """Return why others than the users of this machine may reach the server; empty if they cannot."""
    address = str(st.get_option("server.address") or "")
    if address not in LOOPBACK:
        return f"The server listens on {address or 'every address'}, and there is no login."
    hosts: Sequence[str] = st.get_option("server.allowedHosts") or ()
    if outside := [host for host in hosts if host not in LOOPBACK]:
        return f"The server answers for {phrases.format_list(outside)}, and there is no login."
    if any(st.context.headers.get(header) for header in FORWARDED_HEADERS):
        return "The page is forwarded by another server, and there is no login."
    return ""
