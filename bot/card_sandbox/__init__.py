"""A small, strict card processor on this machine, with test money only: Stripe, as far as the bot uses it.

Its core (`core`) is plain functions over memory, under a clock and a source of chance from outside; `calls` answers requests as
Stripe's API does, `http` serves them, and `page` is where people type in a card. Strict means: what Stripe refuses is refused
here. It takes no live key, reaches nothing but this machine, and keeps no card number.
"""
