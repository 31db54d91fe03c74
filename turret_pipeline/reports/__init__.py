"""What a person reads: the summary of a run and answers to journey questions."""
