"""Files and tables in, raw documents out; labels, and the codebook, speakers and events people write."""

from narratives.read.config import (
    JUDGEMENT_ANSWERS,
    load_codebook,
    load_events,
    load_speakers,
    read_judgements,
    read_labels,
)
from narratives.read.formats import (
    column_names,
    compute_fingerprint,
    find_unused,
    read_file,
    read_file_verified,
)
from narratives.read.inputs import MANIFEST_CSV, find_inputs, place_of, printable, survey
from narratives.read.tables.rows import DOCUMENT_FIELDS, fold

__all__ = [
    "DOCUMENT_FIELDS",
    "JUDGEMENT_ANSWERS",
    "MANIFEST_CSV",
    "column_names",
    "compute_fingerprint",
    "find_inputs",
    "find_unused",
    "fold",
    "load_codebook",
    "load_events",
    "load_speakers",
    "place_of",
    "printable",
    "read_file",
    "read_file_verified",
    "read_judgements",
    "read_labels",
    "survey",
]
