"""Read landing files into the canonical tables of the lake."""
