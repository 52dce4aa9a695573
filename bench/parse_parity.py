"""Item counts of our parser against feedparser's, over every file of a directory.

Usage: ``python bench/parse_parity.py DIRECTORY [--quick]``. Prints how many files each tier read, how fast, and every
file where feedparser found more. Exit status 1 where there is such a file.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import ParseError
from bot.feeds.parse import feed_of, parse_feed
from bot.model import Fetched

AT = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://feeds.example/feed.xml"


@dataclass
class Tally:
    """What one run found."""

    files: int = 0
    size: int = 0
    items: int = 0
    dropped: int = 0
    ours_s: float = 0.0
    tiers: Counter[str] = field(default_factory=Counter)
    below: list[str] = field(default_factory=list)
    above: int = 0
    errors: list[str] = field(default_factory=list)


def ours(body: bytes, tally: Tally) -> tuple[int, int]:
    """Items and dropped entries by our parser; (0, 0) where it refuses."""
    began = time.process_time()
    try:
        parsed = parse_feed(Fetched(feed_of(URL, AT), URL, body, AT), max_items=1_000_000)
    except ParseError:
        tally.tiers["refused"] += 1
        return 0, 0
    finally:
        tally.ours_s += time.process_time() - began
    tally.tiers[parsed.tier] += 1
    return len(parsed.items), parsed.dropped


def theirs(body: bytes) -> int:
    """Entries that feedparser finds."""
    import feedparser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(feedparser.parse(io.BytesIO(body)).entries)


def compare(path: Path, tally: Tally, *, quick: bool) -> None:
    """Add one file."""
    body = path.read_bytes()
    if not body.strip():
        return
    tally.files += 1
    tally.size += len(body)
    items, dropped = ours(body, tally)
    tally.items += items
    tally.dropped += dropped
    if quick:
        return
    other = theirs(body)
    if items < other:
        tally.below.append(f"{path.name}: {items} items (+{dropped} dropped), feedparser {other}")
    tally.above += items > other


def main() -> int:
    """Run over the directory named on the command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--quick", action="store_true", help="only our parser, for timing")
    options = arguments.parse_args()
    tally = Tally()
    for path in sorted(options.directory.rglob("*")):
        if path.is_file():
            compare(path, tally, quick=options.quick)
    print("\n".join(tally.below))
    print(
        f"{tally.files} files, {tally.size / 1e6:.1f} MB, {tally.items} items, {tally.dropped} dropped; "
        f"tiers {dict(tally.tiers)}; {tally.size / 1e6 / tally.ours_s:.1f} MB/s, "
        f"{tally.ours_s / max(tally.files, 1) * 1000:.2f} ms a file; "
        f"below feedparser: {len(tally.below)}, above: {tally.above}"
    )
    return 1 if tally.below else 0


if __name__ == "__main__":
    sys.exit(main())
