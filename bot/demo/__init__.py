"""The whole of it on one machine: a small X, the bot, people with test money."""
