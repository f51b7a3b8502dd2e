"""Texts to vectors."""

from narratives.embed.encoder import load_encoder

__all__ = ["load_encoder"]
