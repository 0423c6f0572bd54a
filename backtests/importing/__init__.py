"""Files of data into the store."""
