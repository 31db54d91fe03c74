"""What clients send, checked and turned into landing records: pure functions, no clock, no files, no HTTP.

A record that passes here is one that the pipeline accepts: what was acknowledged is never refused later.
"""
