"""Elements of HTML and SVG. Texts are given as texts and escaped on writing: nowhere is markup glued."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, tostring

NOTHING: Mapping[str, object] = MappingProxyType({})


def tag(name: str, attributes: Mapping[str, object] = NOTHING, *content: Element | str | None) -> Element:
    """An element with its attributes and, in order, the elements and texts within it; None is left out."""
    made = Element(name, {key: _written(value) for key, value in attributes.items()})
    for part in content:
        if isinstance(part, Element):
            made.append(part)
        elif part and len(made):
            made[-1].tail = (made[-1].tail or "") + part
        elif part:
            made.text = (made.text or "") + part
    return made


def document(root: Element) -> str:
    """The whole page as HTML."""
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _written(value: object) -> str:
    """A value as an attribute; lengths to a hundredth, which is finer than print."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
