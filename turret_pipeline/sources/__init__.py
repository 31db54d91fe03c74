"""Landing files to the lake: each content is read once into parts, and the parts together make the canonical tables.

Belongs here: where parts lie, who reads them, how tables larger than memory are made of them. Not here: what a row
means (``events``), what a field is (``fields``).
"""
