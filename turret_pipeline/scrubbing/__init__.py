"""Texts without what identifies a person or opens a door: typed marks such as <EMAIL> stand in its place.

Patterns and check digits only: no model, no network. `scrub_documents` and `scrub_texts` are for what is stored: they
keep what identifies things (UUIDs, order numbers, hashes). `scrub` is for texts that are shown to an LLM: it hides
those too. `hashed` replaces ids. Not caught: names, street addresses, addresses spelled out ("jo at example dot com"),
passwords in a sentence ("my password is ...").
"""

from turret_pipeline.scrubbing.identifiers import hashed
from turret_pipeline.scrubbing.precise import KINDS, scrub_text
from turret_pipeline.scrubbing.shown import scrub
from turret_pipeline.scrubbing.stored import SCRUBBED_COUNTS, Scrubbed, scrub_documents, scrub_texts

__all__ = ["KINDS", "SCRUBBED_COUNTS", "Scrubbed", "hashed", "scrub", "scrub_documents", "scrub_text", "scrub_texts"]
