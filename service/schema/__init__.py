"""The steps that create and upgrade the tables."""
