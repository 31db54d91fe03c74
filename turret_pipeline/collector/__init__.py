"""The collector: HTTP in, landing files out.

It accepts events from the clients of Turret and Trubrics, and only appends to landing files. The collector and the
pipeline do not import each other, so each runs while the other is down.
"""
