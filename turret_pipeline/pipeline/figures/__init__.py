"""Pictures of a run, under figures/ and in Dagster's metadata."""
