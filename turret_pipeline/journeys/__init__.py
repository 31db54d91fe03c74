"""Movement of people between nodes (topics, event names): visits, steps, edges, and the tables built from them.

Belongs here: pure functions from events to journey tables, and from visits to answers about journeys. Not here: reading
and writing tables (orchestration, reports) and statistics that know nothing of journeys (stats).
"""
