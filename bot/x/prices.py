"""What X charges for each call, as data, so that costs can be told from the bot's own record.

In millionths of a dollar, for each thing read or sent (docs.x.com getting-started/pricing, read 2026-08-22). The same
thing read again within a UTC day is not charged again. Look them up anew before they are relied on: prices change.
"""

from collections.abc import Mapping
from datetime import date

READ_ON = date(2026, 8, 22)
SOURCE = "docs.x.com getting-started/pricing"
MICRODOLLARS: Mapping[str, int] = {
    "me": 0,  # one's own account, once at each start
    "mentions": 1_000,
    "own_posts": 5_000,
    "direct_messages": 10_000,
    "messages_with": 10_000,
    "send_message": 15_000,
    "reply": 10_000,  # an answer to somebody who called the bot
    "users_by_username": 10_000,
    "pushed_mention": 5_000,
    "pushed_message": 10_000,
}
