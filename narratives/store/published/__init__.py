"""Published stores: the current snapshot of a store, copied to object storage for others to read."""

from narratives.store.published.cache import Follower, fetch_published, follow, get_cache_folder
from narratives.store.published.objects import SCHEME, Address, ObjectStore, parse_address
from narratives.store.published.publisher import PublishReport, publish

__all__ = [
    "SCHEME",
    "Address",
    "Follower",
    "ObjectStore",
    "PublishReport",
    "fetch_published",
    "follow",
    "get_cache_folder",
    "parse_address",
    "publish",
]
