"""How people move between nodes (topics, event names) inside a session: visits, steps, edges, nodes."""
