"""The one-page brief of a slice: gathered from a snapshot, written as one HTML file that stands alone."""

from narratives.brief.content import Brief, gather
from narratives.brief.foot import arguments
from narratives.brief.page import html, write

__all__ = ["Brief", "arguments", "gather", "html", "write"]
