"""Money that comes from and goes to banks: what their statements say. Pure: no database, no clock, no network."""
