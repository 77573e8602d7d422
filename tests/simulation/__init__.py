"""The simulator: a deterministic world in one process that tries to make the bot lose money or pay twice."""
