"""Read files and tables into raw documents, and read the codebook, speakers, events, labels and judgements."""

from narratives.read.archives import ARCHIVE_SUFFIX, describe_suffix_refusal, make_safe_name, unpack_archive
from narratives.read.config import (
    NARRATIVE_KEYS,
    check_narratives,
    dump_codebook,
    load_codebook,
    load_events,
    load_speakers,
    parse_codebook,
    parse_narrative,
)
from narratives.read.config.labels import JUDGEMENT_ANSWERS, read_judgements, read_labels
from narratives.read.formats import (
    READERS,
    TABLE_EXTENSIONS,
    compute_fingerprint,
    describe_skip,
    find_notes,
    find_unused,
    list_columns,
    read_file,
    read_file_verified,
)
from narratives.read.inputs import MANIFEST_CSV, Survey, find_inputs, get_place, make_printable, survey
from narratives.read.rows import DOCUMENT_FIELDS, fold
from narratives.read.rows.columns import COLUMN_FIELDS, has_field_word, propose_columns, score_column_name

__all__ = [
    "ARCHIVE_SUFFIX",
    "COLUMN_FIELDS",
    "DOCUMENT_FIELDS",
    "JUDGEMENT_ANSWERS",
    "MANIFEST_CSV",
    "NARRATIVE_KEYS",
    "READERS",
    "TABLE_EXTENSIONS",
    "Survey",
    "check_narratives",
    "compute_fingerprint",
    "describe_skip",
    "describe_suffix_refusal",
    "dump_codebook",
    "find_inputs",
    "find_notes",
    "find_unused",
    "fold",
    "get_place",
    "has_field_word",
    "list_columns",
    "load_codebook",
    "load_events",
    "load_speakers",
    "make_printable",
    "make_safe_name",
    "parse_codebook",
    "parse_narrative",
    "propose_columns",
    "read_file",
    "read_file_verified",
    "read_judgements",
    "read_labels",
    "score_column_name",
    "survey",
    "unpack_archive",
]
