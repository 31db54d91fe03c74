"""Topics of a text field, in flow order: texts, embedding, neighbours, communities, update, themes, labels."""
