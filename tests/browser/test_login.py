"""A login with a real OpenID Connect provider on this machine: roles, what is decided, and when a login counts no more.

The provider is npm's oidc-provider; `.ci/run` installs it where there is npm.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from narratives.store import DECISIONS_FILE, DecisionLog
from tests.browser.test_review import press
from tests.conftest import ROOT
from tests.helpers.browser import STREAMLIT, find_port, fresh, opened, serving, settled, turned_to, wait_for_port
from tests.helpers.factory import build_store

MODULES = ROOT / ".venv" / "npm" / "node_modules"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
    pytest.mark.skipif(not (MODULES / "oidc-provider").is_dir(), reason="oidc-provider is not installed"),
    pytest.mark.skipif(not importlib.util.find_spec("authlib"), reason="Authlib is not installed"),
]
VALID = 20  # seconds of a token, in the test of one that expires
SECRETS = """
[auth]
redirect_uri = "{redirect}"
cookie_secret = "another secret of this test"
client_id = "tracker"
client_secret = "a secret of this test"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
client_kwargs = {{ prompt = "login" }}

[roles]
editors = ["ed@example.org"]
reviewers = ["rita@example.org", "unverified@example.org"]
"""


@dataclass
class Site:
    """A dashboard with a login: its store, its address, and the file that says who may do what."""

    store: Path
    address: str
    secrets: Path


@contextmanager
def providing(folder: Path, *more: str) -> Iterator[Site]:
    """A dashboard and its provider; `more` are the seconds that a token is valid, and for whom it is."""
    port, provider_port = find_port(), find_port()
    redirect, issuer = f"http://127.0.0.1:{port}/oauth2callback", f"http://127.0.0.1:{provider_port}"
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(redirect=redirect, issuer=issuer))
    script = ROOT / "tests" / "helpers" / "oidc_provider.mjs"
    log = folder / "provider.log"
    with log.open("w") as said:
        command = ["node", str(script), str(MODULES), str(provider_port), redirect, *more]
        provider = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            wait_for_port(provider_port, provider, log)
            store = build_store(folder / "store").path
            with serving(store, (*STREAMLIT, "--secrets.files", str(secrets)), port=port) as address:
                yield Site(store, address, secrets)
        finally:
            provider.terminate()
            provider.wait(timeout=20)


def log_in(page: Page, name: str) -> Page:
    """Press the button, and say at the provider who one is and that the dashboard may know."""
    page.get_by_role("button", name="Log in").click()
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("h1")
    return settled(page)


def test_a_reviewer_logs_in_decides_under_the_verified_address_and_logs_out(browser, tmp_path):
    with providing(tmp_path) as site, fresh(browser) as watched:
        page = opened(watched, site.address)
        expect(page.get_by_text("Log in to review.")).to_be_visible()
        assert "Review" not in page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        log_in(page, "rita")
        expect(page.get_by_text("rita@example.org · reviewer")).to_be_visible()
        press(turned_to(page, "Review"), "y")
        log = DecisionLog(site.store / DECISIONS_FILE)
        assert [decision.who for decision in log.history()] == ["rita@example.org"]
        # The role is taken away. Another tab tells when the server has noticed; the open page then decides no more.
        site.secrets.write_text(site.secrets.read_text().replace('"rita@example.org", ', ""))
        other, deadline = watched.page.context.new_page(), time.monotonic() + 60
        while not other.get_by_text("Read-only.").count():
            assert time.monotonic() < deadline
            other.goto(site.address)
            settled(other)
        other.close()
        page.bring_to_front()
        page.keyboard.press("y")
        expect(page.get_by_text("Expected the role reviewer; got the role viewer.")).to_be_visible()
        assert len(log.history()) == 1
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("button", name="Yes, sign me out").click()  # the provider asks
        expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_an_address_that_is_not_verified_gives_no_role(browser, tmp_path):
    with providing(tmp_path) as site, fresh(browser) as watched:
        page = log_in(opened(watched, site.address), "unverified")
        expect(page.get_by_text("Your account has no role that may change anything.")).to_be_visible()
        assert "Review" not in page.get_by_test_id("stSidebarNavLink").all_inner_texts()


def test_a_token_for_another_application_gives_no_role(browser, tmp_path):
    with providing(tmp_path, "3600", "another") as site, fresh(browser) as watched:
        page = log_in(opened(watched, site.address), "ed")
        expect(page.get_by_text("Your login is for another application.")).to_be_visible()
        assert "Review" not in page.get_by_test_id("stSidebarNavLink").all_inner_texts()


def test_a_login_ends_with_its_token(browser, tmp_path):
    with providing(tmp_path, str(VALID)) as site, fresh(browser) as watched:
        page = turned_to(log_in(opened(watched, site.address), "rita"), "Review")
        press(page, "y")
        time.sleep(VALID)
        page.keyboard.press("y")
        expect(page.get_by_text("Your login has expired. Log in again.")).to_be_visible()
        page.goto(f"{site.address}/review")  # the browser still has the cookie
        settled(page)
        expect(page.get_by_text("Your login has expired. Log in again.")).to_be_visible()
        assert len(DecisionLog(site.store / DECISIONS_FILE).history()) == 1
