"""Load signals and strategies that a user wrote, and check that they keep their contract."""
