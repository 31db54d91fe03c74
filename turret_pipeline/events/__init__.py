"""Raw bytes to canonical events: discover files, read records, parse them, join the parts, give each a session."""
