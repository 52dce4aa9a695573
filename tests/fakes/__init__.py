"""Servers on loopback that speak like the real ones, limits and errors included. Usable as processes too."""
