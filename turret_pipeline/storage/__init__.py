"""Everything on disk: the lake, vectors, topic states, the warehouse, edits and overrides."""
