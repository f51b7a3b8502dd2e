"""Tracks recurring narratives in official statements and media."""

__version__ = "0.1.0"
