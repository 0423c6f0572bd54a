"""From target weights to what a portfolio was really worth."""
