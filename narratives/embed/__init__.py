"""Texts to vectors, and to the outputs of a classifier that is trained from the encoder."""

from narratives.embed.classifier import (
    PASSES,
    TRAINING_VERSION,
    ParagraphClassifier,
    TrainingRows,
    compute_outputs,
    load_classifier,
    read_metadata,
    save_classifier,
    train_classifier,
)
from narratives.embed.encoder import SentenceEncoder, load_encoder

__all__ = [
    "PASSES",
    "TRAINING_VERSION",
    "ParagraphClassifier",
    "SentenceEncoder",
    "TrainingRows",
    "compute_outputs",
    "load_classifier",
    "load_encoder",
    "read_metadata",
    "save_classifier",
    "train_classifier",
]
