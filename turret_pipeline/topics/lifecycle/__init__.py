"""Topics from run to run: state, edits, lineage, labels and privacy."""
