"""What holds for all tests: hypothesis has no deadlines, since a loaded machine is no fault, and repeats itself in CI."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("tocsin", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tocsin")
