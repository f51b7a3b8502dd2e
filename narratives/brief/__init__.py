"""The one-page brief of a slice: one HTML file that stands alone."""

from narratives.brief.content import Brief
from narratives.brief.page import build_html, format_command

__all__ = ["Brief", "build_html", "format_command"]
