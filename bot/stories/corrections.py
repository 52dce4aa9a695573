"""Whether an item says of itself that it corrects or withdraws what was reported."""

from __future__ import annotations

from .text import words

_MARKS = (
    "correction", "corrected", "corrects", "clarification", "retraction", "retracted", "retracts", "erratum",
    "toll revised", "revised toll", "revises toll", "revised down", "revises down", "lowers death toll",
    "lowers toll", "death toll lowered", "toll lowered", "withdraws report", "withdraws claim", "story withdrawn",
    "поправка", "уточнение", "исправлено", "опровержение", "виправлення", "уточнення", "спростування",
    "rectificatif", "rectification", "corrección", "rectificación", "fe de errores", "berichtigung", "korrektur",
    "sprostowanie", "korekta", "correção", "rettifica", "düzeltme", "تصحيح", "اصلاحیه", "更正", "תיקון",
)  # fmt: skip


_FOLDED = tuple(" ".join(words(mark)) for mark in _MARKS)


def is_correction(title: str) -> bool:
    """True where a title names itself a correction.

    >>> is_correction("CORRECTION: Blast in Aden killed four, not fourteen")
    True
    """
    text = f" {' '.join(words(title))} "
    return any(f" {mark} " in text for mark in _FOLDED)
