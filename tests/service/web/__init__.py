"""What the API answers, asked over HTTP in one process, with a real database behind it."""
