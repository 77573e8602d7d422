"""X's API v2: direct messages, sent and read."""

import re

from bot.sandbox import asked
from bot.sandbox.call import LIST_PARAMETERS, MESSAGE_PARAMETERS, Answer, Call, only, text_in
from bot.sandbox.refusals import invalid


def send_message(call: Call) -> Answer:
    call.asked()
    recipient = call.path_id("participant_id")
    only(call.body, "text")
    message = call.street.send_message(call.caller, recipient, text_in(call.body))
    return Answer(
        {"data": {"dm_conversation_id": message.conversation_id, "dm_event_id": str(message.id)}}, 201
    )


def all_messages(call: Call) -> Answer:
    return _messages(call, None)


def messages_with(call: Call) -> Answer:
    return _messages(call, call.street.conversation_with(call.caller, call.path_id("participant_id")))


def messages_in(call: Call) -> Answer:
    name = call.path["id"]
    if not re.fullmatch(r"[0-9]{1,19}-[0-9]{1,19}|[0-9]{15,19}", name, re.ASCII):
        raise invalid("id", name, f"The `id` query parameter value [{name}] is not valid")
    return _messages(call, name)


def _messages(call: Call, conversation: str | None) -> Answer:
    query = call.asked(MESSAGE_PARAMETERS, LIST_PARAMETERS, ["event_types"])
    kinds = query.names("event_types", asked.MESSAGE_KINDS) or asked.MESSAGE_KINDS
    wanted = query.range(least=1, usual=100)
    listing = call.street.messages(call.caller, conversation, wanted, kinds)
    return Answer(call.renderer(query, asked.MESSAGE_EXPANSIONS).messages_page(listing))
