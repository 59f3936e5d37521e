"""Claims about the PostgreSQL we bring along."""
