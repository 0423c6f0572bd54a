"""The command line. Each command has a file and imports heavy packages inside its function."""
