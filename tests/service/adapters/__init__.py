"""Tests of how other houses write what we call by name."""
