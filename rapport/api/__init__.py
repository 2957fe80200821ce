"""For programs: JSON, a key instead of a session."""
