"""LUTE: analysis workflows of LCLS experiments."""

__version__ = "0.1.0"
