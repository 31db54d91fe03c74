"""Tests of the report's answers."""
