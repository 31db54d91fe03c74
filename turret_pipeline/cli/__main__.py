"""`python -m turret_pipeline.cli`: the command line with this interpreter, wherever the script `turret` is."""

from turret_pipeline.cli import main

main()
