"""No surprise network: nothing that a user does contacts another machine, unless the user names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from narratives.resources import SAMPLE_FOLDER
from tests.conftest import ROOT
from tests.helpers.browser import calls, guarded
from tests.helpers.loopback import isolated

pytestmark = pytest.mark.model
NO_NAMESPACE = "this user may not make a network namespace, or `unshare` or `ip` is missing"
# The addresses are kept for documentation.
ATTEMPTS = """
import socket
for attempt in (
    lambda: socket.create_connection(("192.0.2.1", 80), 1),
    lambda: socket.create_connection(("2001:db8::1", 443), 1),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("198.51.100.7", 123)),
    lambda: socket.getaddrinfo("example.org", 80),
):
    try:
        attempt()
    except OSError:
        pass
here = socket.create_server(("127.0.0.1", 0))
socket.create_connection(here.getsockname())
"""


def test_the_namespace_notes_what_goes_out(tmp_path):
    """Without this, the watch could be asleep."""
    command = isolated(tmp_path / "sent", sys.executable, "-c", ATTEMPTS)
    if not command:
        pytest.skip(NO_NAMESPACE)
    subprocess.run(command, cwd=ROOT, check=True)
    sent = (tmp_path / "sent").read_text().splitlines()
    assert {"tcp 192.0.2.1 port 80", "tcp 2001:db8::1 port 443", "udp 198.51.100.7 port 123"} <= set(sent)
    assert any(line.startswith("udp ") and line.endswith(" port 53") for line in sent)
    assert not any("127.0.0.1" in line for line in sent)


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> Path:
    """The folder of a session that worked, alone with the loopback device where that is possible."""
    folder = tmp_path_factory.mktemp("network")
    texts = "".join((SAMPLE_FOLDER / "seeds.jsonl").read_text("utf-8").splitlines(keepends=True)[:20])
    (folder / "texts.jsonl").write_text(texts, "utf-8")
    session = [sys.executable, "-m", "tests.helpers.session", str(folder / "texts.jsonl"), str(folder / "store")]
    command = isolated(folder / "sent", *session, str(folder)) or [*session, str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **guarded(folder / "a.log")}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_no_library_in_python_connects_to_another_machine(used):
    assert (used / "brief.html").exists()
    assert not calls(used / "a.log")


def test_no_packet_is_sent_to_another_machine(used):
    """Also by code that is not Python, and also to look up a name."""
    if not (used / "sent").exists():
        pytest.skip(NO_NAMESPACE)
    assert not (used / "sent").read_text()
