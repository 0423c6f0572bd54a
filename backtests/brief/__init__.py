"""The brief: everything that a portfolio manager reads in ten seconds, computed at one close."""
