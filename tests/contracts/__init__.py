"""Contracts: what every adapter of a port must do, whichever it is."""
