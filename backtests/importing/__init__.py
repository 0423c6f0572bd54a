"""Import files of data into the store."""
