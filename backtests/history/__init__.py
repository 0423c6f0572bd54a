"""Build a history from a store or from the simulated economy: the values known at each close."""
