"""Roles of topics, and follow-ups: turns that continue an earlier topic."""
