"""The brief: the regime, its reasons, target weights and next dates at one session's close."""
