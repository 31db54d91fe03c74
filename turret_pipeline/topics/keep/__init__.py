"""What is kept of topics from run to run: a run's plan, a person's splits and merges over what was found (decisions),
the table of topics (definitions), what changed (lineage), all of it as one state; then names by an LLM (naming), and
what may be shown (privacy).
"""
