"""The thesis on trial: each claim, declared before it is estimated."""
