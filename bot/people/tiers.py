"""How well the operator knows a person; what they may pay and hold depends on it. Pure."""

from enum import StrEnum


class Tier(StrEnum):
    NEW = "new"
    """Nobody has made sure who this is."""
    IDENTIFIED = "identified"
    MERCHANT = "merchant"
    ASSOCIATION = "association"

    @property
    def is_business(self) -> bool:
        return self in {Tier.MERCHANT, Tier.ASSOCIATION}
