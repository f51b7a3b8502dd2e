"""Files and tables in, raw documents out; labels, and the codebook, speakers and events people write."""

from narratives.read.config import load_codebook, load_events, load_speakers
from narratives.read.discover import discover
from narratives.read.formats import fingerprint, read_file, read_unchanged
from narratives.read.judgements import VERDICTS, read_judgements
from narratives.read.labels import read_labels
from narratives.read.manifest import NAME as MANIFEST
from narratives.read.rows import FIELDS
from narratives.read.tables import column_names

__all__ = [
    "FIELDS",
    "MANIFEST",
    "VERDICTS",
    "column_names",
    "discover",
    "fingerprint",
    "load_codebook",
    "load_events",
    "load_speakers",
    "read_file",
    "read_judgements",
    "read_labels",
    "read_unchanged",
]
