"""A seeded market that plays through the public commands, and the import of past orders."""
