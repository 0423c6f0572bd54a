"""The DuckDB file of observations: schema, locking, appending, audit."""
