"""The command line. Each command has its own file and imports heavy packages in its function."""
