"""The command line, run as a person would run it, with a real database behind it."""
