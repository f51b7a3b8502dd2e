"""Object storage that speaks S3: addresses, settings of the connection, and reading and writing of objects.

Only the endpoint that the environment or the AWS settings name is contacted, or AWS itself if they name none.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from narratives.model import StoreError, UsageError

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f?#%]+")
_BLOCK_BYTES = 1 << 20
ANY_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/\x00-\x1f\x7f]+")  # of the names of objects that somebody else has made
CONNECT_SECONDS, SILENT_SECONDS, ATTEMPTS = 5, 10, 3


@dataclass(frozen=True, slots=True)
class Address:
    """A place in object storage: a bucket, and the start of the names of its objects; the latter may be empty."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return SCHEME + "/".join(filter(None, (self.bucket, self.prefix)))

    @property
    def name(self) -> str:
        """A short name that may be the name of a folder, such as the last part of the prefix."""
        last = (self.prefix or self.bucket).rpartition("/")[2]
        return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip(".-") or "store"


def parse_address(text: str, segment: re.Pattern[str] = _SEGMENT) -> Address:
    """Return the address in a text such as `s3://bucket/prefix`. Raises UsageError if it is none.

    `segment` is what may stand between slashes.
    """
    expected, hint = f"an address such as {SCHEME}bucket/folder", "Name a bucket, and a folder in it."
    scheme, _, rest = text.partition("://")
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket:  # not quoted, as it may hold a secret
        hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, instead."
        raise UsageError(expected, "an address with credentials in it", hint)
    segments = prefix.removesuffix("/").split("/") if prefix else []
    is_valid = scheme.lower() == "s3" and _BUCKET.fullmatch(bucket)
    if not is_valid or not all(map(segment.fullmatch, segments)):
        raise UsageError(expected, repr(text), hint)
    return Address(bucket, "/".join(segments))


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the storage. `endpoint` is an address, or empty for AWS; `region` is empty if none is set."""

    endpoint: str
    region: str
    certificates: str

    @property
    def place(self) -> str:
        """What is contacted, for messages."""
        return self.endpoint or "AWS"


def read_connection(environment: Mapping[str, str]) -> Connection:
    """Read where the storage is from the usual variables and files of AWS. Credentials are left to its library."""
    profile = _read_profile(environment)
    ignored = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    named = (environment.get("AWS_ENDPOINT_URL_S3"), environment.get("AWS_ENDPOINT_URL"), profile.get("endpoint_url"))
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or profile.get("region", "")
    certificates = environment.get("AWS_CA_BUNDLE") or profile.get("ca_bundle", "")
    return Connection("" if ignored else next(filter(None, named), ""), region, certificates)


def _read_profile(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the chosen profile in AWS's config file; its `endpoint_url` is that for S3."""
    file = Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    name = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, configparser.Error) as error:
        raise StoreError(f"AWS settings in {file}", str(error), "Correct the file, or set AWS_CONFIG_FILE.") from error
    section = next((one for one in (f"profile {name}", name) if parser.has_section(one)), None)
    if section is None:
        return {}
    settings = dict(parser[section])
    services = f"services {settings.get('services', '')}"
    if parser.has_section(services):  # [services NAME], with indented lines below `s3 =`
        lines = parser[services].get("s3", "").splitlines()
        inner = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
        settings["endpoint_url"] = inner.get("endpoint_url") or settings.get("endpoint_url", "")
    return settings


class ObjectStore:
    """The objects below an address. Every method raises StoreError if the storage refuses or cannot be reached."""

    def __init__(self, address: Address, connection: Connection | None = None) -> None:
        self.address = address
        self.connection = connection or read_connection(os.environ)
        self._system = _connect(self.connection)

    def read(self, name: str, most: int) -> bytes | None:
        """Return the content of an object, None if there is none; of a larger one, only `most` + 1 bytes."""
        with self._explain(f"to read {name} in {self.address}"):
            try:
                with self._system.open_input_stream(self._locate(name), compression=None) as stream:
                    data: bytes = stream.read(most + 1)
                    return data
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write an object. Others see the old object, or none, until the new one is complete."""
        explain = self._explain(f"to write {name} in {self.address}")
        with explain, self._system.open_output_stream(self._locate(name)) as stream:
            stream.write(data)

    def holds(self, name: str, size: int) -> bool:
        """Return whether there is an object of this name and size."""
        return self.find_size(name) == size

    def find_size(self, name: str) -> int | None:
        """Return the bytes of an object, None if there is none."""
        with self._explain(f"to look for {name} in {self.address}"):
            [info] = self._system.get_file_info([self._locate(name)])
            return int(info.size) if info.is_file else None

    def list_names(self) -> list[str]:
        """List the names of all objects below the address, in no order."""
        from pyarrow import fs

        start = self._locate("")
        with self._explain(f"to list {self.address}"):
            found = self._system.get_file_info(fs.FileSelector(start, allow_not_found=True, recursive=True))
        return [info.path.removeprefix(f"{start}/") for info in found if info.is_file]

    def download(self, name: str, path: Path) -> None:
        """Copy an object to a file. Raises OSError if the file cannot be written."""
        with path.open("wb") as file:
            for block in self._read_blocks(name):
                file.write(block)

    def _read_blocks(self, name: str) -> Iterator[bytes]:
        explain = self._explain(f"to read {name} in {self.address}")
        # pyarrow would unpack what its name calls packed.
        with explain, self._system.open_input_stream(self._locate(name), compression=None) as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block

    def has_bucket(self) -> bool:
        """Return whether the bucket exists."""
        with self._explain(f"to look for the bucket {self.address.bucket}"):
            [info] = self._system.get_file_info([self.address.bucket])
            return str(info.type.name) != "NotFound"

    def _locate(self, name: str) -> str:
        return "/".join(filter(None, (self.address.bucket, self.address.prefix, name)))

    @contextmanager
    def _explain(self, expected: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._make_error(expected, str(error)) from error

    def _make_error(self, expected: str, message: str) -> StoreError:
        """Make an error from a message of AWS's library, which has neither types nor numbers."""
        detail = message.partition("AWS Error ")[2].partition(" (Request ID")[0] or message
        got = f"{detail.strip(' .')} (from {self.connection.place})"
        for pattern, hint in _HINTS:
            if re.search(pattern, message):
                return (UnreachableError if pattern is _UNREACHABLE else StoreError)(expected, got, hint)
        return StoreError(expected, got, "Try again later, or check the storage.")


class UnreachableError(StoreError):
    """The storage does not answer."""


_UNREACHABLE = "NETWORK_CONNECTION|REQUEST_TIMEOUT"
# What the messages of AWS's library contain, and what to do about it.
_HINTS = (
    ("NO_SUCH_BUCKET", "Make the bucket, or correct its name."),
    (_UNREACHABLE, "Check the network and AWS_ENDPOINT_URL, then run the same command again."),
    (
        "PermanentRedirect|AuthorizationHeaderMalformed|HTTP status 301|HTTP status 400",
        "Set AWS_REGION to the region of the bucket, and make sure that the credentials have not expired.",
    ),
    (
        "ACCESS_DENIED|INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN_ID|SIGNATURE_DOES_NOT_MATCH|EXPIRED|ExpiredToken|"
        "UNRECOGNIZED_CLIENT|HTTP status 40[13]",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to credentials that may do this. "
        "docs/operations.md lists the permissions.",
    ),
)


def _connect(connection: Connection) -> Any:  # noqa: ANN401  # pyarrow has no types
    """Make the file system. Raises UsageError for an endpoint that is no address of a server."""
    # Otherwise AWS's library looks for credentials and a region at the address of a metadata service. Who wants the
    # credentials of an EC2 instance sets the variable to false.
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    # Imported here, because loading AWS's library takes longer than most commands.
    from pyarrow import fs

    options: dict[str, object] = {}
    if connection.endpoint:
        parts = urlsplit(connection.endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or parts.path.strip("/"):
            hint = "Correct AWS_ENDPOINT_URL or the AWS settings."
            raise UsageError("an endpoint such as https://storage.example.org", repr(connection.endpoint), hint)
        options = {"scheme": parts.scheme, "endpoint_override": parts.netloc}
    if connection.certificates:
        options["tls_ca_file_path"] = connection.certificates
    return fs.S3FileSystem(
        # A wrong region is refused by AWS and ignored by most others; looking up the right one asks another host.
        region=connection.region or "us-east-1",
        connect_timeout=CONNECT_SECONDS,
        request_timeout=SILENT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,
        background_writes=False,
        **options,
    )
