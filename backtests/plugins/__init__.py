"""Load a user's signals and strategies, and check that they meet the rules of their base class."""
