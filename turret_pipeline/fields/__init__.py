"""Types of metadata fields: text to cluster, enum to segment by, number to chart, and others."""
