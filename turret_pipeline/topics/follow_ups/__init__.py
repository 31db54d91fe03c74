"""Roles of topics, and the turns that continue an earlier topic."""
