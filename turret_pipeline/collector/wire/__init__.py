"""Checks requests of clients and builds landing records from them: pure functions, no clock, no files, no HTTP.

The pipeline accepts every record that passes here, so an acknowledged event is never rejected later.
"""
