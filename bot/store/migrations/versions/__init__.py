"""The steps. A released one is never edited: the next change is a new file."""
