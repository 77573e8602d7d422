"""A small, strict X on this machine, to develop, test and try the bot against without an account anywhere.

Its core (`core`) is plain functions over memory; `gateway` lets the bot call it in the same process, `http` serves it
as X's API v2, and `page` shows it in a browser. Strict means: whatever X refuses is refused here in X's own words, so
that a bot that lives here has a fair chance out there. It knows nothing of the bot's rooms, and never talks to X.
"""
