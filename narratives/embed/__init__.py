"""Texts to vectors, and to the outputs of a classifier that is trained from the encoder."""

from narratives.embed.classifier import (
    PASSES,
    TRAINING_VERSION,
    ParagraphClassifier,
    TrainingRows,
    add_output,
    compute_mean_states,
    dump_classifier,
    load_classifier,
    train_classifier,
    trains_in_bf16,
)
from narratives.embed.encoder import BUNDLED_NAME, SentenceEncoder, encode_all, load_encoder

__all__ = [
    "BUNDLED_NAME",
    "PASSES",
    "TRAINING_VERSION",
    "ParagraphClassifier",
    "SentenceEncoder",
    "TrainingRows",
    "add_output",
    "compute_mean_states",
    "dump_classifier",
    "encode_all",
    "load_classifier",
    "load_encoder",
    "train_classifier",
    "trains_in_bf16",
]
