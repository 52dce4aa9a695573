"""The reader of claims, as the assessor calls it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from classifiers.assessment import Claim, Text


def read_claims(text: Text, language: str) -> tuple[Claim, ...]:
    """What is claimed, denied, threatened."""
    try:
        read = cast("Callable[..., tuple[Claim, ...]]", import_module("classifiers.claims").read_claims)
    except (ImportError, AttributeError):
        return ()
    return read(text, language)
