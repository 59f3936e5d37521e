"""Claims about the world, each checked."""
