"""The rules: what may happen to a complaint, decided without clock, database or chance."""
