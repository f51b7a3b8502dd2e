"""The one-page brief of a slice: one HTML file that stands alone."""

from narratives.brief.content import Brief
from narratives.brief.page import arguments, html

__all__ = ["Brief", "arguments", "html"]
