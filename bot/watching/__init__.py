"""Watches the bot and its book: figures at a glance, and alarms. It reads, and raises; it mends nothing."""
