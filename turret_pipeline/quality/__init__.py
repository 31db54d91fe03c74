"""Checks of the built tables before they are published. Checks between tables are dbt tests."""
