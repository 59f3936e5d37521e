"""Kill -9 in the middle of writing, again and again, and a look for what was lost."""
