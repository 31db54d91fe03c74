"""Another processor, simulated: a little noise in every vector of the embedding model.

`VECTOR_NOISE=1e-5 make test` adds normal noise with this standard deviation to each number of each vector.
`VECTOR_NOISE_SEED` selects other noise. Processors differ by about 1e-7.
"""
