"""Adapters for single sites; each module here is found by itself."""
