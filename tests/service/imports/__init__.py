"""Tests of what is taken over from elsewhere."""
