"""The simulation of a portfolio: from target weights to the portfolio's value at each close."""
