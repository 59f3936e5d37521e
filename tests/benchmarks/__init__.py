"""Measurements with the yardsticks beside them, as ratios of one run: python -m tests.benchmarks."""
