"""`annotate` against a small server on loopback that speaks the chat protocol, well and badly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from narratives.cli import main
from narratives.fetch.records import Clock
from narratives.model import ConfigError, LabelledText
from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows.annotate import AnnotationRequest, annotate
from tests.helpers.factory import build_store

HASTY = Clock(sleep=lambda seconds: None)


def says(content: object, **more: object) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"message": {"content": content, **more}, "finish_reason": "stop"}]}).encode()


YES = says('{"verdict": "yes", "reason": "It says so."}')


class Server(ThreadingHTTPServer):
    """Gives the answers in order, then the last one again, and keeps what it was asked."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked, self.headers = answers, [], []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append({"path": self.path, **json.loads(body)})
        self.server.headers.append(dict(self.headers))
        at = min(len(self.server.asked), len(self.server.answers)) - 1
        answer = self.server.answers[at]
        status, content = answer() if callable(answer) else answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(*answers: Any) -> Iterator[Server]:
    server = Server(list(answers))
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def request(store: Path, server: Server, limit: int = 3, timeout: float = 5.0) -> AnnotationRequest:
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return AnnotationRequest(store, address, "tiny-model", limit, timeout=timeout)


@pytest.fixture
def store(tmp_path) -> Path:
    return build_store(tmp_path / "store").path


def test_verdicts_are_kept_as_those_of_a_machine_with_prompt_and_answer(store):
    fenced = says('```json\n{"verdict": "No", "reason": "Another subject."}\n```')
    with served(YES, fenced, says('{"verdict": "unsure"}')) as server:
        report = annotate(request(store, server), clock=HASTY)
    assert (report.asked, report.added, report.failures) == (3, 3, ())
    log = DecisionLog(store / DECISIONS_FILE)
    assert [d.verdict for d in log.history()] == ["accepted", "rejected", "undecided"]
    assert {(d.who, d.annotator) for d in log.history()} == {("tiny-model", "machine")}
    assert log.history()[0].why == 'prompt 1: {"verdict": "yes", "reason": "It says so."}'
    assert not log.current() and log.pairs() == [] and log.last_ids() == (0, 0)  # nothing of it counts
    [first, *_] = server.asked
    assert first["path"] == "/v1/chat/completions" and first["temperature"] == 0 and first["model"] == "tiny-model"
    assert "Definition: " in first["messages"][1]["content"]
    assert not any("Authorization" in headers for headers in server.headers)


def test_a_second_run_goes_on_and_pairs_of_people_come_first(store):
    log = DecisionLog(store / DECISIONS_FILE)
    text = "The minister will visit Lima on Friday next."
    log.add([LabelledText(1, text, "d001", {"wwii_memory": "accepted"})], "ann", "")
    with served(YES) as server:
        first = annotate(request(store, server, 2), clock=HASTY)
        assert text in server.asked[0]["messages"][1]["content"]
        second = annotate(request(store, server, 1000), clock=HASTY)
        again = annotate(request(store, server, 1000), clock=HASTY)
    assert first.known == 0 and second.known == 2
    assert (again.asked, again.known) == (0, first.added + second.added)
    assert len(log.history()) == 1 + again.known
    [found] = again.agreement
    assert (found.first, found.second, found.pairs, found.same) == ("ann", "tiny-model", 1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        says("Yes, it does."),
        says('{"verdict": "maybe"}'),
        says('{"verdict": {"yes": 1}}'),
        says("[1, 2]"),
        says(None, refusal="I cannot help with that."),
        says(""),
        (200, b"<html>busy</html>"),
        (200, b'{"choices": []}'),
        (200, b'{"choices": [{"message": null}]}'),
        (200, b"[" * 100_000),
    ],
)
def test_nonsense_and_refusals_are_listed_and_not_kept(store, answer):
    with served(answer, YES) as server:
        report = annotate(request(store, server, 2), clock=HASTY)
    assert (report.asked, report.added, len(report.failures)) == (2, 1, 1)
    assert len(DecisionLog(store / DECISIONS_FILE).history()) == 1


def test_a_busy_server_is_asked_again(store):
    with served((503, b"busy"), (429, b"slow down"), YES) as server:
        report = annotate(request(store, server, 1), clock=HASTY)
    assert report.added == 1 and len(server.asked) == 3


def test_a_server_that_does_not_answer_ends_the_run_with_what_it_gave_before(store):
    def sleep() -> tuple[int, bytes]:
        time.sleep(0.3)
        return YES

    with served(YES, sleep) as server, pytest.raises(ConfigError, match="within"):
        annotate(request(store, server, 100, timeout=0.05), clock=HASTY)
    assert len(DecisionLog(store / DECISIONS_FILE).history()) <= 1


@pytest.mark.parametrize("answer", [(401, b"no key"), (404, b"no such model"), (302, b"")])
def test_a_server_that_refuses_altogether_is_not_asked_again(store, answer):
    with served(answer) as server, pytest.raises(ConfigError):
        annotate(request(store, server, 50), clock=HASTY)
    assert len(server.asked) == 1 and not (store / DECISIONS_FILE).exists()


def test_nobody_listening_is_told_as_such(store):
    with pytest.raises(ConfigError, match="Check that a server"):
        annotate(AnnotationRequest(store, "http://127.0.0.1:9/v1", "m"), clock=HASTY)


def test_a_key_is_sent_only_if_it_is_given(store, monkeypatch):
    monkeypatch.setenv("NARRATIVES_API_KEY", "secret")
    with served(YES) as server:
        annotate(request(store, server, 1), clock=HASTY)
    assert server.headers[0]["Authorization"] == "Bearer secret"


def test_the_command_prints_the_agreement(store, capsys):
    text = "The minister will visit Lima on Friday next."
    log = DecisionLog(store / DECISIONS_FILE)
    log.add([LabelledText(1, text, "d001", {"wwii_memory": "rejected"})], "ann", "")
    with served(YES) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        common = ["annotate", "--store", str(store), "--endpoint", address, "--model", "m", "--progress", "none"]
        assert main([*common, "--limit", "2"]) == 0
    said = capsys.readouterr().out
    assert "verdicts added" in said and "agreement with ann: 0 of 1 pairs, kappa 0.00" in said
    with pytest.raises(SystemExit):
        main(["annotate", "--store", str(store)])  # without an endpoint nothing is asked
