"""Who may do what: with a login and without, by page, by address, by callback, and by what is on the disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from narratives.dashboard import builds, cached_queries, corrections, roles, verdicts, waiting
from narratives.dashboard.views import review, uploads
from narratives.model import AccessError, Slice
from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows.review import build_queue
from tests.conftest import ROOT
from tests.dashboard.test_pages import said

pytestmark = pytest.mark.usefixtures("at_home")
AUTH = {"auth": {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x", "client_id": "tracker"}}
FOR_US = frozenset({"tracker"})
LATER = 4_000_000_000  # in the year 2096
ROLES = {
    "editors": ["Ed@example.org"],
    "reviewers": ["rita@example.org"],
    "claim": "groups",
    "reviewer_claims": ["coders"],
}


def claims(email: str, **more: Any) -> dict[str, Any]:
    token = {"iss": "https://id.test", "sub": "1", "aud": "tracker", "exp": LATER}
    return {"is_logged_in": True, "email": email, "email_verified": True, **token, **more}


def dashboard(user: dict[str, Any] | None = None, page: str = "") -> AppTest:
    """The dashboard: with a login if a user is given (an empty one is not logged in), else without."""
    app = AppTest.from_file(str(ROOT / (page or "dashboard.py")), default_timeout=60)
    if user is not None:
        app.secrets.update({**AUTH, "roles": ROLES})
        app.user = user or {"is_logged_in": False}
    app.run()
    assert not app.exception, app.exception
    return app


def files(store: Path) -> dict[str, bytes]:
    """All that is in a store: the same before and after if nothing was written."""
    return {str(path): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ({}, "viewer"),
        (claims("nobody@example.org"), "viewer"),
        (claims("rita@example.org"), "reviewer"),
        (claims("ED@example.org"), "editor"),
        (claims("ed@example.org", email_verified=False), "viewer"),
        (claims("ed@example.org", email_verified="true"), "viewer"),
        ({"is_logged_in": True, "email": "ed@example.org", "aud": "tracker", "exp": LATER}, "viewer"),
        (claims("ed@example.org", aud=["other", "tracker"]), "editor"),
        (claims("ed@example.org", aud="other"), "viewer"),
        (claims("ed@example.org", aud=None), "viewer"),
        (claims("ed@example.org", exp=1_600_000_000), "viewer"),
        (claims("ed@example.org", exp=None), "viewer"),
        (claims("ed@example.org", exp="4000000000"), "viewer"),
        (claims("", groups=["coders"]), "reviewer"),
        (claims("", groups="coders"), "reviewer"),
        (claims("", groups=["others"]), "viewer"),
        ({"is_logged_in": False, "email": "ed@example.org", "email_verified": True}, "viewer"),
    ],
)
def test_roles_come_from_verified_claims_only(user, role):
    assert roles._identify_logged_in(user, ROLES, FOR_US).role == role


def test_without_a_table_of_roles_nobody_may_write():
    assert roles._identify_logged_in(claims("ed@example.org"), {}, FOR_US).role == "viewer"
    assert roles._identify_logged_in(claims(""), {"editors": [""]}, FOR_US).role == "viewer"


def test_the_dashboard_may_have_an_id_with_each_provider():
    auth = {"cookie_secret": "x", "google": {"client_id": "a"}, "okta": {"client_id": "b"}}
    assert roles._list_applications(auth) == {"a", "b"}


def test_alone_on_this_machine_the_user_has_all_roles(store):
    app = dashboard()
    assert "Read-only" not in said(app)
    app.switch_page("pages/review_page.py").run()
    assert [button.label for button in app.button if button.label == "Yes"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("server.address", None), ("server.address", "0.0.0.0"), ("server.allowedHosts", ["tracker.example.org"])],
)
def test_reachable_by_others_without_a_login_nothing_is_written(store, option, value, monkeypatch):
    config.set_option(option, value)
    before = files(store)
    app = dashboard()
    assert "Read-only." in said(app) and "there is no login" in said(app)
    for page in ("sources", "evidence", "narrative"):
        app.switch_page(f"pages/{page}_page.py").run()
        assert not app.exception
        assert not app.file_uploader
        assert not [b for b in app.button if b.label in ("Confirm", "Reject", "Build now", "Yes")]
    cold = dashboard(page="pages/review_page.py")
    assert "Expected the role reviewer; got the role viewer." in said(cold) and not cold.button
    assert files(store) == before


def test_a_forwarded_page_is_read_only(store, monkeypatch):
    monkeypatch.setattr(type(roles.st.context), "headers", property(lambda _: {"X-Forwarded-For": "10.0.0.1"}))
    assert "forwarded by another server" in said(dashboard())


def test_secrets_that_cannot_be_read_give_no_rights(store, tmp_path, monkeypatch):
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text("[auth\n")
    config.set_option("secrets.files", [str(secrets)])
    roles.st.secrets._reset()
    assert roles.get_user().role == "viewer"
    config.set_option("secrets.files", [])
    roles.st.secrets._reset()


@pytest.mark.parametrize("user", [{}, claims("nobody@example.org")])
def test_a_viewer_reaches_no_page_of_a_reviewer(store, user):
    app = dashboard(user)
    with pytest.raises(ValueError, match="review_page"):
        app.switch_page("pages/review_page.py").run()
        raise ValueError(app.exception[0].message if app.exception else "review_page")
    cold = dashboard(user, "pages/review_page.py")
    assert "Expected the role reviewer" in said(cold) and not cold.button


def writers(store: Path) -> dict[str, Any]:
    """Every callback of the dashboard that writes, with what its button would hand over."""
    handle = cached_queries.find_snapshot()
    queue = build_queue(cached_queries.get_snapshot(handle), Slice())
    view = review.View(handle, Slice())
    [question, *_] = [*queue.drawn, *queue.uncertain]
    document = {"document_id": "d001", "date": "2016-11-10", "outlet": "Foreign Ministry"}
    row = {"text": "The press there has long been blinded by russophobia.", "speaker": "Maria Zakharova"}
    return {
        "answer": lambda: review._answer(view, queue, question, "accepted"),
        "undo": lambda: review._undo(view, queue),
        "decide": lambda: verdicts.record_verdict(handle, "d001-002", "western_russophobia", "rejected"),
        "correct": lambda: corrections._save(handle, document, row),
        "build": lambda: waiting._start_build(str(store)),
        "job": lambda: uploads._change_job(lambda: None),
        "sample": lambda: builds._start_sample_build(str(store)),
        "upload": lambda: uploads._save_upload(store, "1", "a.txt", b"text"),
    }


WRITERS = ("answer", "undo", "decide", "correct", "build", "job", "sample", "upload")
REFUSED = {"viewer": WRITERS, "reviewer": ("build", "job", "sample", "upload")}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in REFUSED.items() for name in names])
def test_a_replayed_message_is_refused_where_it_would_write(store, monkeypatch, role, name):
    """A callback runs only after a message; here it is called as if such a message had arrived."""
    DecisionLog(store / DECISIONS_FILE).edit("note", "x", "{}", "me", "")
    call, before = writers(store)[name], files(store)
    monkeypatch.setattr(roles, "_identify_user", lambda: roles.User("eve", role))
    with suppress(AccessError):  # or a message on the page
        call()
    assert files(store) == before
    assert builds.get_job_registry().get(store) is None


@pytest.mark.parametrize("name", ["answer", "decide", "upload"])
def test_the_same_call_writes_for_an_editor(store, name):
    call, before = writers(store)[name], files(store)
    call()
    assert files(store) != before


def test_a_decision_carries_the_verified_name(store):
    app = dashboard(claims("Rita@example.org"))
    app.switch_page("pages/review_page.py").run()
    [yes] = [button for button in app.button if button.label == "Yes"]
    yes.click().run()
    assert not app.exception, app.exception
    [decision] = DecisionLog(store / DECISIONS_FILE).history()
    assert (decision.who, decision.annotator) == ("rita@example.org", "person")
