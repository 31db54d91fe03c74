"""Exchanges: each prompt with its answers and its feedback, joined by DuckDB in shards of sessions."""
