"""Topics beside the rest of the data: where they occur, what grows (trends), who speaks of them (segments)."""
