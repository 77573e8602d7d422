"""What part a piece of text plays: one letter each, so that a whole message becomes a short string of letters.

The grammar is written over these letters. A role that has no place in the grammar is a guard: wherever such a piece
stands outside the note, nothing is paid.
"""

from enum import Enum


class Role(Enum):
    """The part of one token; the value is the letter the grammar knows it by."""

    # What an order is made of.
    BOT = "b"
    MENTION = "m"
    SEND = "V"
    SEND_APART = "Y"  # a verb that needs its particle: "maak ... over"
    PARTICLE = "y"
    SPLIT = "S"
    BETWEEN = "s"
    SHARED = "x"
    EACH = "e"
    REQUEST = "R"
    AMOUNT = "A"
    TO = "p"
    FOR = "f"
    NOTE_MARK = "q"
    FROM = "d"
    AND = "k"
    COMMA = "C"
    FULL_STOP = "D"
    COLON = "J"
    DASH = "H"
    COPY = "c"
    BEFORE_PAYEE = "1"  # "my friend @ann", "o @joao": left out directly before a payee, a guard elsewhere
    GREETING = "g"
    # Changes nothing: left out before the grammar looks.
    PLEASE = "o"
    EMOJI = "j"
    HASHTAG = "h"
    LINK = "l"
    # Guards: no rule has a place for these.
    NEGATION = "N"
    QUESTION = "Q"
    CONDITION = "I"
    WHEN = "v"
    WISH = "Z"
    TALK = "T"
    VAGUE = "z"
    ABOUT = "B"
    TIMES = "M"
    OR = "r"
    SELF = "L"
    WITH = "i"
    MINUS = "w"
    PERCENT = "E"
    UNIT = "u"
    THOUSAND = "t"
    NUMBER = "n"
    BAD_AMOUNT = "X"
    UNKNOWN_HANDLE = "U"
    QUOTATION = "G"
    REPOST = "P"
    QUOTED_LINE = "K"
    HIDDEN = "F"
    REFERENCE = "a"
    ODD = "O"
    WORD = "W"
