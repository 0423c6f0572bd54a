"""The pages and files that a finished run produces."""
