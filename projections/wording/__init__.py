"""The words of one topic each; `projections/words.py` puts them together."""
