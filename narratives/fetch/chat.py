"""Questions to a server that speaks the protocol of OpenAI's chat completions, at an address that a person names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from narratives.fetch.client import RETRY_STATUSES, describe_status, read_body
from narratives.fetch.host_policy import normalise_url
from narratives.fetch.records import Clock, FetchError

ATTEMPTS = 3
MAX_ANSWER_BYTES = 1_000_000
_FIRST_WAIT = 1.0  # seconds before the second attempt; then twice as long
_CONNECT_SECONDS = 10.0


class ChatClient:
    """One model at one address. Nothing but this address is ever contacted: no proxy and no redirect."""

    def __init__(
        self, endpoint: str, model: str, timeout: float = 60.0, key: str = "", clock: Clock | None = None
    ) -> None:
        """Take the address of the protocol (`http://127.0.0.1:8080/v1`); raises FetchError if it is none."""
        address = normalise_url(endpoint).rstrip("/")
        self.address = address if address.endswith("/chat/completions") else f"{address}/chat/completions"
        self._model, self._timeout, self._clock = model, timeout, clock or Clock()
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._pool = PoolManager(timeout=Timeout(connect=_CONNECT_SECONDS, read=timeout), retries=False)

    def ask(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the text of the answer, at temperature 0, after at most ATTEMPTS attempts.

        Raises FetchError if there is no answer, the server refuses, or the answer is not one of the protocol.
        """
        body = {"model": self._model, "messages": list(messages), "temperature": 0, "stream": False}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _extract_text(self._send(json.dumps(body).encode()))
            except FetchError as error:
                if not error.passing or attempt == ATTEMPTS:
                    raise
                self._clock.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def _send(self, body: bytes) -> bytes:
        hint = f"Check that a server for {self._model} runs at {self.address}."
        deadline = self._clock.elapsed() + self._timeout
        try:
            response = self._pool.request(
                "POST", self.address, body=body, headers=self._headers, redirect=False, preload_content=False
            )
            try:
                answer = read_body(response, MAX_ANSWER_BYTES, deadline, self._clock)
                response.release_conn()
            finally:
                if response.connection is not None:
                    response.close()
        except HTTPError as error:
            raise FetchError(f"an answer within {self._timeout:g} s", str(error), hint, passing=True) from error
        if response.status != HTTPStatus.OK:
            got = f"{describe_status(response.status)}: {answer[:200].decode(errors='replace')}"
            passing = response.status in RETRY_STATUSES
            raise FetchError("an answer", got, hint, passing=passing, status=response.status)
        return answer


def _extract_text(answer: bytes) -> str:
    """Return the text of the first choice. Raises FetchError for a refusal, and for anything else."""
    hint = "The pair is left for another run."
    try:
        choice = json.loads(answer)["choices"][0]
        text = choice["message"].get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        got = repr(answer[:200].decode(errors="replace"))
        raise FetchError("an answer of the chat protocol", got, hint) from error
    if refusal := choice["message"].get("refusal"):
        raise FetchError("an answer", f"a refusal: {str(refusal)[:200]}", hint)
    if not isinstance(text, str) or not text.strip():
        raise FetchError("a text as answer", f"none ({choice.get('finish_reason')})", hint)
    return text
