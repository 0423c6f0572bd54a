"""What the numbers say, by definitions of our own."""
