"""What can go wrong in ``classifiers``: one line each, naming the file (and line) at fault.

ClassifierError
├── ModelError     a model file that is missing, damaged, of another version or of another taxonomy
└── ExampleError   a training or gold file that cannot be read
"""

from __future__ import annotations


class ClassifierError(Exception):
    """The classifier cannot do what was asked."""


class ModelError(ClassifierError):
    """The model cannot be used; the message names the file and what is wrong with it."""


class ExampleError(ClassifierError):
    """A file of annotated examples cannot be used; the message names the file, the line and the key."""
