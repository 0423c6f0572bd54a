"""Sweeps: many configurations of one strategy, and what their best one is worth."""
