"""The collector: HTTP in, landing files out.

It accepts what the clients of Turret and Trubrics send, and only ever appends to landing files. It imports nothing of
the pipeline, nor the pipeline anything of it: either runs when the other is down.
"""
