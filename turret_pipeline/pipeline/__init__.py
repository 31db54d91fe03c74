"""Everything that knows Dagster: assets, checks, resources, schedule, dbt and publishing."""
