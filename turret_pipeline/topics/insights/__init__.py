"""Trends of topics, and their differences between segments."""
