"""Topics of the text fields, in folders in the order of the data flow.

    embedding ─▶ clustering ─┬─▶ tracking ─▶ lifecycle ─▶ follow_ups
                             └─▶ labels ──────┘   └─────▶ insights

- embedding: distinct texts and their vectors.
- clustering: clusters of texts from the graph of their nearest neighbours.
- tracking: known topics and new clusters are reconciled, so that topics keep their ids from run to run.
- labels: labels, themes and map positions of topics.
- lifecycle: the topic tables that a run continues, with edits by a person, LLM labels and privacy.
- follow_ups: roles of topics, and turns that continue an earlier topic.
- insights: trends of topics, and differences between segments.

``edits`` and ``topic_id`` are shared. A folder imports only from folders before it.
"""
