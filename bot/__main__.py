"""The ``tocsin`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. ``--version`` alone loads nothing else, because scripts ask for it often."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from bot import __version__

        sys.stdout.write(f"tocsin {__version__}\n")
        return
    from bot.cli import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
