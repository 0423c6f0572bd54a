"""The command line.

Each command has its own file. A command imports heavy packages only when it runs.
"""
