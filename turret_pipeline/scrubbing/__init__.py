"""Replacement of personal data and secrets in texts by typed marks such as <EMAIL>.

It uses patterns and check digits only: no model, no network. `scrub_documents` and `scrub_texts` are for storage and
keep what identifies things (UUIDs, order numbers, hashes). `scrub_for_llm` is for texts that are sent to an LLM and
replaces those too. `hash_ids` replaces user ids. Not found: names, street addresses, spelled-out addresses
("jo at example dot com") and passwords of letters only.
"""

from turret_pipeline.scrubbing.batch import SCRUBBED_COUNTS, Scrubbed, scrub_documents, scrub_texts
from turret_pipeline.scrubbing.identifiers import hash_ids
from turret_pipeline.scrubbing.llm_text import scrub_for_llm
from turret_pipeline.scrubbing.single_text import KINDS, scrub_text

__all__ = [
    "KINDS",
    "SCRUBBED_COUNTS",
    "Scrubbed",
    "hash_ids",
    "scrub_documents",
    "scrub_for_llm",
    "scrub_text",
    "scrub_texts",
]
