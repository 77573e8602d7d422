"""Who lives in the simulated town, and how each is."""

from dataclasses import dataclass, field

from bot.demo.town import Resident

MEMBERS = ("ann", "ben", "cem", "dot", "eve", "fay", "gil", "hue", "ian", "jan")
RICH = ("kim", "leo")
"""They own more than anybody may pay in a day."""
POOR = ("pam", "pip", "poe")
COMERS = ("una", "uri", "ugo", "ute")
"""They are paid before they come; some come in time, some late."""
STRANGERS = ("zac", "zed", "zia")
"""They never come by themselves; they may order, and be paid."""
EMPTY = ("max", "may", "mo")
"""Members who own nothing yet."""
FUNDS = 400_00
RICH_FUNDS = 1_200_00
POOR_FUNDS = 15_00

RESIDENTS = (
    *(Resident(name, name.title(), FUNDS) for name in MEMBERS),
    *(Resident(name, name.title(), RICH_FUNDS) for name in RICH),
    *(Resident(name, name.title(), POOR_FUNDS) for name in POOR),
    *(Resident(name, name.title(), 0) for name in EMPTY),
    *(Resident(name, name.title()) for name in (*COMERS, *STRANGERS)),
)


@dataclass(slots=True)
class Player:
    """One person of a run: who they are at X, and what is in their mind."""

    name: str
    id: int
    posts: list[int] = field(default_factory=list)
    """Versions of posts of theirs that may still be edited or deleted."""
    references: list[str] = field(default_factory=list)
    codes: list[tuple[str, int]] = field(default_factory=list)
    """Codes they were sent, with the message's number."""
    answered: list[str] = field(default_factory=list)
