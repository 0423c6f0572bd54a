"""Load a user's own signals and strategies, and check that they keep their contract."""
