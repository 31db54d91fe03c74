"""Landing files to the canonical tables of the lake: find, hash, read, parse and order."""
