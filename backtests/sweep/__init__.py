"""Sweeps: simulate many configurations of one strategy, and test whether the best is luck."""
