"""What topics are called and where they stand: phrases of the texts (phrases, candidates), weighed by meaning (meaning,
labels), themes over topics, places on the map (layout).
"""
