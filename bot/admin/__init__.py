"""What an admin may do, each a function that does it and writes down who, what and why, in one transaction."""
