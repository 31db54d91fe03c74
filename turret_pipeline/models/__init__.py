"""Models: the embedder and the LLM."""
