"""Scales of ratings: what a low rating is, wherever ratings are read."""

SCALES = ((0, 1), (-1, 1), (1, 5), (0, 5), (0, 10), (-10, 10), (0, 100), (-100, 100))
"""Usual scales, the smallest first. The first that holds all ratings of a project is taken to be its scale."""

BAD_SHARE = 0.4
"""A rating is bad in this share of its scale, from the lowest end: 1 and 2 of 1 to 5."""
