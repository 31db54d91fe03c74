"""Work that is cut into shards, and the engines that run them: processes of this machine, or a cluster.

Belongs here: how a shard gets to where it runs, and its files back. Not here: what a shard does.
"""
