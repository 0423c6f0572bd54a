"""Read, write and check the store: a DuckDB file with all values."""
