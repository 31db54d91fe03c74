"""What each metadata field is: text to cluster, enum to segment by, number to chart, or none of these."""
