"""The only package that imports Dagster: definitions, assets, checks, resources, sensors and runs."""
