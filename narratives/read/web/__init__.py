"""The web: a source in, an archive of raw pages out that `build` reads."""

from narratives.read.web.fetch import fetch
from narratives.read.web.records import Failure, FetchError, FetchReport, FetchRequest

__all__ = ["Failure", "FetchError", "FetchReport", "FetchRequest", "fetch"]
