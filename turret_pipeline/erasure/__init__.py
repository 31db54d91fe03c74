"""Erasure of persons, sessions, files and old data from a data folder, and what the folder holds about a person."""
