"""Labels, themes and the map of topics."""
