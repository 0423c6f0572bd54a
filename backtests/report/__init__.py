"""The pages and files of a finished run."""
