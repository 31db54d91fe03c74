"""Known topics and new clusters: assign, reconcile, refit."""
