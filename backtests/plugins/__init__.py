"""Load a user's signals and strategies, and check that they keep their contract."""
