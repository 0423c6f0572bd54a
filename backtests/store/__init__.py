"""The DuckDB file with all values: its tables, locks, new rows and checks."""
