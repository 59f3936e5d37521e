"""Tests of staff accounts, their sessions and tokens."""
