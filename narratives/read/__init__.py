"""Files and tables in, raw documents out; labels, and the codebook, speakers and events people write."""

from narratives.read.config import (
    VERDICTS,
    load_codebook,
    load_events,
    load_speakers,
    read_judgements,
    read_labels,
)
from narratives.read.formats import column_names, find_unused, fingerprint, read_file, read_unchanged
from narratives.read.inputs import MANIFEST, find_inputs, place_of, printable, survey
from narratives.read.tables.rows import FIELDS, fold

__all__ = [
    "FIELDS",
    "MANIFEST",
    "VERDICTS",
    "column_names",
    "find_inputs",
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
