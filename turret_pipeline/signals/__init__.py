"""Signals: signs that an exchange went wrong, found without an LLM, each with a reason."""
