"""The version of the software; the language has a version of its own."""

__version__ = "0.1.0"
