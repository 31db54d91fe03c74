"""Whether groups of events differ in a share: statistics of counts, for topics and journeys alike.

Belongs here: differences, intervals, p-values and q-values, and what dependent events are worth. Not here: which groups
are compared.
"""
