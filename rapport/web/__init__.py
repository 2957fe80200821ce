"""The Sales Hub."""

from . import converters  # noqa: F401 -- every module here may name an entity in its addresses
