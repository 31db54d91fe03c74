"""Conversion of rows to canonical events: formats, parsing of blocks, and privacy."""
