"""Alerts: which rule asks for a story, what is worth saying of it, to whom, when, and why not. Pure, no clock."""
