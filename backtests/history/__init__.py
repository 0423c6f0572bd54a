"""Build a history of known values and prices from a store or from the simulated economy."""
