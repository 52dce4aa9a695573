"""Tocsin's daemon: watches feeds, understands them through :mod:`classifiers`, and rings in people's chats."""

__version__ = "0.1.0"
