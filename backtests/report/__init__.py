"""A finished run as pages and files."""
