"""The one-page brief of a slice: a single HTML file without other files."""

from narratives.brief.page import Brief, build_html, format_command

__all__ = ["Brief", "build_html", "format_command"]
