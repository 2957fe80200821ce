"""How often one address may knock, as pages ask it."""

from rapport.limits import TooMany, address, check, forget

__all__ = ["TooMany", "address", "check", "forget"]
