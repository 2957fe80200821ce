"""Every write. Each action checks rights, locks, writes through `write`, and is one operation."""
