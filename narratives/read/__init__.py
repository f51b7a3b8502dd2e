"""Files and tables in, raw documents out; labels, and the codebook, speakers and events people write."""

from narratives.read.config import load_codebook, load_events, load_speakers
from narratives.read.discover import discover, place_of, printable, survey
from narratives.read.formats import column_names, find_unused, fingerprint, read_file, read_unchanged
from narratives.read.judgements import VERDICTS, read_judgements
from narratives.read.labels import read_labels
from narratives.read.manifest import NAME as MANIFEST
from narratives.read.rows import FIELDS, fold

__all__ = [
    "FIELDS",
    "MANIFEST",
    "VERDICTS",
    "column_names",
    "discover",
    "find_unused",
    "fingerprint",
    "fold",
    "load_codebook",
    "load_events",
    "load_speakers",
    "place_of",
    "printable",
    "read_file",
    "read_judgements",
    "read_labels",
    "read_unchanged",
    "survey",
]
