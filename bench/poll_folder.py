"""Serves a folder of feed documents on loopback and runs ``tocsin poll --json`` over it, twice.

    python bench/poll_folder.py FOLDER [--no-feedparser]

Prints items stored, errors by name, wall and CPU seconds of each poll, and checks two things: that no feed brought
fewer items than feedparser finds in it, and that the second poll made conditional requests only and stored nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote


class Folder(BaseHTTPRequestHandler):
    """One document a path, with an ETag."""

    protocol_version = "HTTP/1.1"
    root: Path
    unconditional = 0

    def do_GET(self) -> None:
        """Answer 200 or 304."""
        body = (self.root / unquote(self.path.lstrip("/"))).read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        given = self.headers.get("If-None-Match")
        status = 304 if given == etag else 200
        type(self).unconditional += given is None
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", "0" if status == 304 else str(len(body)))
        self.end_headers()
        if status == 200:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


def poll(settings: Path) -> dict[str, object]:
    """One ``tocsin poll --json``."""
    command = [sys.executable, "-m", "bot", "poll", "--json", "--config", str(settings)]
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    if not out.stdout:
        sys.exit(out.stderr)
    report = json.loads(out.stdout)
    assert isinstance(report, dict)
    return report


def expected(folder: Path, names: list[str]) -> dict[str, int]:
    """Items that feedparser finds in each document."""
    import feedparser

    return {name: len(feedparser.parse(io.BytesIO((folder / name).read_bytes())).entries) for name in names}


def main() -> None:
    """Run both polls and print the report."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--no-feedparser", action="store_true")
    given = arguments.parse_args()
    names = sorted(path.name for path in given.folder.iterdir() if path.is_file())
    Folder.root = given.folder
    server = ThreadingHTTPServer(("127.0.0.1", 0), Folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}/"
    with tempfile.TemporaryDirectory() as data:
        settings = Path(data) / "tocsin.toml"
        feeds = "".join(f'[[feeds]]\nurl = "{base}{quote(name)}"\n' for name in names)
        fetch = '[fetch]\nallow_networks = ["127.0.0.0/8"]\nmax_items = 100000\nper_host = 16\n'
        settings.write_text(f'data_dir = "{data}"\n{fetch}[workers]\ntimeout = "60s"\n{feeds}')
        settings.chmod(0o600)
        first = poll(settings)
        before = Folder.unconditional
        second = poll(settings)
    show(first, "first")
    show(second, "second")
    print(f"unconditional requests in the second poll: {Folder.unconditional - before}")
    if not given.no_feedparser:
        compare(first, expected(given.folder, names), base)


def show(report: dict[str, object], which: str) -> None:
    """The figures of one poll."""
    keys = ("feeds", "changed", "unchanged", "failed", "items", "new", "wall_s", "cpu_s")
    print(f"{which}: " + ", ".join(f"{key} {report[key]}" for key in keys))
    errors = report["errors"]
    assert isinstance(errors, list)
    for error in errors:
        print(f"   {error['problem']}: {error['message']}"[:200])


def compare(report: dict[str, object], wanted: dict[str, int], base: str) -> None:
    """Feeds in which fewer items were found than feedparser finds."""
    rows = report["by_feed"]
    assert isinstance(rows, list)
    found = {unquote(str(row["url"]).removeprefix(base)): int(row["items"]) for row in rows}
    below = {name: (found.get(name, 0), count) for name, count in wanted.items() if found.get(name, 0) < count}
    print(f"feedparser finds {sum(wanted.values())} items; feeds below it: {len(below)} {below or ''}")


if __name__ == "__main__":
    main()
