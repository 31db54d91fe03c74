"""Text for users: the summary of a run and answers to questions about journeys."""
