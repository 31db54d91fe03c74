"""The report: what people talk about, what changed, where it fails, and for whom it differs."""
