"""From files and stores to what was known at each close."""
