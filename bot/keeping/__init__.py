"""Keeping the book: backups while it runs, restoring one into an empty place, and coming to terms with X after that."""
