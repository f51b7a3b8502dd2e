"""Spread."""
