"""CAP 1.2's axes, kept apart and never folded into one number."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """CAP severity; ordered. ``None`` in its place means "not about conflict"."""

    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4

    @property
    def word(self) -> str:
        """CAP's word, as the contracts write it: ``severe``."""
        return self.name.lower()


class Certainty(IntEnum):
    """CAP certainty: one source, two independent ones, official or many."""

    POSSIBLE = 1
    LIKELY = 2
    OBSERVED = 3

    @property
    def word(self) -> str:
        """CAP's word: ``likely``."""
        return self.name.lower()


class Urgency(IntEnum):
    """CAP urgency: past, expected within hours, now."""

    PAST = 1
    EXPECTED = 2
    IMMEDIATE = 3

    @property
    def word(self) -> str:
        """CAP's word: ``immediate``."""
        return self.name.lower()
