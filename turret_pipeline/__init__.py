"""Topics and journeys from the raw events of an AI product."""
