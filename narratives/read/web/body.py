"""Reading an answer's body in bounded memory and time, and unpacking it without trusting its size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from urllib3.response import BaseHTTPResponse

from narratives.read.web.records import Clock, FetchError

BLOCK = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
# zlib's code for "gzip or zlib, see the head".
_EITHER = zlib.MAX_WBITS | 32


def read_body(response: BaseHTTPResponse, limit: int, deadline: float, clock: Clock) -> bytes:
    """The body without its content encoding; `limit` in bytes, `deadline` by `clock.elapsed()`.

    Raises FetchError where it is too large (packed or not), too slow, packed in a way that was not asked for
    or cut short inside its packing; urllib3's HTTPError where the connection is cut.
    """
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(f"{int(length):,}", limit)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    blocks = _limited(_blocks(response, deadline, clock), limit)
    if encoding in ("", "identity"):
        return b"".join(blocks)
    if encoding in ("gzip", "x-gzip"):
        return _unpacked(blocks, limit)
    raise FetchError("a body as it is or in gzip", f"one in {encoding}", "Save the page by hand.")


def unpack(data: bytes, limit: int) -> bytes:
    """The content of gzipped `data`, other data as they are; raises FetchError as `read_body` does."""
    return _unpacked([data], limit) if data.startswith(GZIP_MAGIC) else data


def _blocks(response: BaseHTTPResponse, deadline: float, clock: Clock) -> Iterator[bytes]:
    # `read1` comes back with what has arrived, so that bytes that drip one by one cannot hold it for ever.
    while block := response.read1(BLOCK, decode_content=False):
        yield block
        if clock.elapsed() > deadline:
            raise FetchError("a whole answer in time", "one that was still going on", "Later.", passing=True)


def _limited(blocks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise _too_large(f"more than {limit:,}", limit)
        yield block


def _unpacked(blocks: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    decoder = zlib.decompressobj(_EITHER)
    try:
        for block in blocks:
            data = block
            while data:
                content += decoder.decompress(data, limit + 1 - len(content))
                if len(content) > limit:
                    raise _too_large(f"more than {limit:,} once unpacked", limit)
                # A gzip file may have several members, and zeros behind the last.
                data = decoder.unconsumed_tail or decoder.unused_data.lstrip(b"\0")
                if decoder.eof and data:
                    decoder = zlib.decompressobj(_EITHER)
    except zlib.error as error:
        raise FetchError("a whole gzip body", f"a corrupt one ({error})", "Later.", passing=True) from error
    if not decoder.eof:
        raise FetchError("a whole gzip body", "one that is cut short", "Later.", passing=True)
    return bytes(content)


def _too_large(size: str, limit: int) -> FetchError:
    return FetchError(f"at most {limit:,} bytes", size, "If it is text after all, save it by hand.")
