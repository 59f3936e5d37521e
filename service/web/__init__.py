"""The face to the outside: API, problem documents, who asks."""
