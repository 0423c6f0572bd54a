"""Build a history of known values and prices from a store, from DataFrames or from a simulation."""
