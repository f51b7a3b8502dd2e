"""What all tests share: the reference material beside the project, or a visible skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference texts and labels beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("NARRATIVES_SHARED", ROOT.parent / "shared"))
    if not (folder / "seeds").is_dir():
        pytest.skip(f"the reference material is not at {folder}")
    return folder
