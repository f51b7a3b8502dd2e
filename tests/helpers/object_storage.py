"""A server on this machine that speaks S3, for the tests of published stores and of inputs."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

BUCKET = "narratives-test"
ADDRESS = f"s3://{BUCKET}/one/reports"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-north-1"}
# What a machine may have set for its users: none of it may reach a test.
SETTINGS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE", "AWS_DEFAULT_REGION")


@contextmanager
def serve_objects() -> Iterator[str]:
    """The address of a new server. All servers of a process have the same buckets."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def connect(monkeypatch: pytest.MonkeyPatch, endpoint: str, folder: Path) -> None:
    """Make the environment that of a user who has named the server and no other."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_CONFIG_FILE": str(folder / "none")}.items():
        monkeypatch.setenv(name, value)


def ask_server(endpoint: str, path: str, data: bytes = b"") -> None:
    """Tell the server to forget everything (`reset`), or after how many requests to check keys (`reset-auth`)."""
    request = urllib.request.Request(f"{endpoint}/moto-api/{path}", data, {"Content-Type": "text/plain"}, method="POST")
    urllib.request.urlopen(request).close()


class Bucket:
    """The bucket of the tests, without the product between."""

    def __init__(self, endpoint: str) -> None:
        options: dict[str, Any] = {"scheme": "http", "endpoint_override": endpoint.removeprefix("http://")}
        self._system = fs.S3FileSystem(
            access_key="key", secret_key="secret", region="us-east-1", allow_bucket_creation=True, **options
        )

    def make(self) -> None:
        self._system.create_dir(BUCKET)

    def names(self) -> set[str]:
        """The names of all objects."""
        found = self._system.get_file_info(fs.FileSelector(BUCKET, recursive=True))
        return {info.path.removeprefix(f"{BUCKET}/") for info in found if info.is_file}

    def read(self, name: str) -> bytes:
        with self._system.open_input_stream(f"{BUCKET}/{name}") as stream:
            return stream.read()

    def write(self, name: str, data: bytes) -> None:
        with self._system.open_output_stream(f"{BUCKET}/{name}", compression=None) as stream:
            stream.write(data)

    def remove(self, name: str) -> None:
        self._system.delete_file(f"{BUCKET}/{name}")
