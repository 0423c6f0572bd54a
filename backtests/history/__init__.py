"""Build a history from a store or the simulated economy: the values known at each close."""
