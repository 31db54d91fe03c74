"""Known topics carried on over the texts of a run: new texts join (assign), known topics meet groups found anew
(meeting, update), or all start over and take their old ids (refit).
"""
