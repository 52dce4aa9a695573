"""Understands news about armed conflict. Usable alone: knows nothing of feeds, stores or chats."""
