"""What the reader may know of something that arrived, and whether it goes before all else."""

from bot.language import reader
from bot.language.reading import Command, Utterance, Verb
from bot.store.inbox import Arrival, LookedUp
from bot.x.gateway import DirectMessage, Post, XUser


def utterance_of(said: Post | DirectMessage, bot: XUser, *, author: str = "") -> Utterance:
    """What the reader may know of a text."""
    match said:
        case Post():
            return Utterance(
                text=said.text,
                author=said.author.username,
                bot=bot.username,
                mentions=said.mentions,
                urls=said.urls,
                display_start=said.display_start,
                language=said.language,
                answers_bot=said.in_reply_to_user_id == bot.id,
                is_truncated=said.is_truncated,
            )
        case DirectMessage():
            return Utterance(
                text=said.text, author=author, bot=bot.username, mentions=said.mentions, private=True
            )


def is_urgent(content: Arrival, bot: XUser) -> bool:
    """Whether it goes before all else: someone wants their money or themselves left alone."""
    if isinstance(content, LookedUp):
        return False
    reading = reader.read(utterance_of(content, bot))
    return isinstance(reading, Command) and reading.verb in {Verb.STOP, Verb.FREEZE}
