"""The simulation of a portfolio: from target weights to its value at each close."""
