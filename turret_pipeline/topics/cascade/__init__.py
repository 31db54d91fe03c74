"""Vectors of many texts at a fraction of the cost: a student reads most of them, the full model the doubtful ones."""
