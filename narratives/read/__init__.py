"""Read files and tables into raw documents, and read the codebook, speakers, events, labels and judgements."""

from narratives.read.config import (
    JUDGEMENT_ANSWERS,
    load_codebook,
    load_events,
    load_speakers,
    read_judgements,
    read_labels,
)
from narratives.read.formats import compute_fingerprint, find_unused, list_columns, read_file, read_file_verified
from narratives.read.inputs import find_inputs, get_place, make_printable, survey
from narratives.read.rows import DOCUMENT_FIELDS, fold

__all__ = [
    "DOCUMENT_FIELDS",
    "JUDGEMENT_ANSWERS",
    "compute_fingerprint",
    "find_inputs",
    "find_unused",
    "fold",
    "get_place",
    "list_columns",
    "load_codebook",
    "load_events",
    "load_speakers",
    "make_printable",
    "read_file",
    "read_file_verified",
    "read_judgements",
    "read_labels",
    "survey",
]
