"""Published stores: the current snapshot of a store, copied to object storage for others to read."""

from narratives.store.published.cache import Follower, fetch_published, follow, get_cache_folder
from narratives.store.published.objects import (
    ANY_SEGMENT,
    SCHEME,
    Address,
    Connection,
    ObjectStore,
    UnreachableError,
    parse_address,
    read_connection,
)
from narratives.store.published.publisher import PublishReport, publish

__all__ = [
    "ANY_SEGMENT",
    "SCHEME",
    "Address",
    "Connection",
    "Follower",
    "ObjectStore",
    "PublishReport",
    "UnreachableError",
    "fetch_published",
    "follow",
    "get_cache_folder",
    "parse_address",
    "publish",
    "read_connection",
]
