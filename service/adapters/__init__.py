"""How other houses write what we call by name: codes, polarity, dialects; pure mappings, no network."""
