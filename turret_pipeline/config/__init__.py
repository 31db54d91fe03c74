"""Settings of the pipeline and of the collector."""
