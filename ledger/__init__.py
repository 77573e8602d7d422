"""A double-entry ledger, embedded: a library of its own that knows nothing of its user.

Start at `book.Ledger`, over a `database.Database` that `migrations.upgrade` has prepared.
"""
