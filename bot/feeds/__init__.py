"""Feeds: fetching, guarding, parsing, pacing, discovery, OPML. Imports nothing at import time."""
