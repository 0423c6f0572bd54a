"""A user's own signals and strategies: load them and check their contract."""
