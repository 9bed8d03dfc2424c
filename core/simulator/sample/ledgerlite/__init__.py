"""Household bookkeeping from the command line."""

__version__ = "0.7.2"
