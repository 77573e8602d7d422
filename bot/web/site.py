"""What every route works with, put together once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.keys import keyring_from
from bot.settings import Settings
from bot.web.figures import Gauges
from bot.web.forms import Cookies, Forms
from bot.web.metrics import Source
from bot.web.pages import Pages
from bot.web.rates import Rates
from bot.wiring import Bot
from ledger.clock import Entropy

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Site:
    bot: Bot
    settings: Settings
    entropy: Entropy
    forms: Forms
    pages: Pages
    rates: Rates
    gauges: Gauges
    sources: Sequence[Source] = field(default=())

    @property
    def https(self) -> bool:
        return self.settings.web_address.startswith("https:")

    @property
    def hosts(self) -> frozenset[str]:
        """The names we may be asked under; others would be somebody's trick with names (DNS rebinding)."""
        host = urlsplit(self.settings.web_address).hostname or ""
        return LOOPBACK | {f"[{host}]" if ":" in host else host, self.settings.web_host}


def site_of(bot: Bot, settings: Settings, entropy: Entropy, sources: Sequence[Source] = ()) -> Site:
    secure = settings.web_address.startswith("https:")
    forms = Forms(keyring_from(settings), entropy, Cookies(secure))
    pages = Pages(forms, bot.account.username, settings.language, ZoneInfo(settings.time_zone))
    return Site(bot, settings, entropy, forms, pages, Rates(bot.clock), Gauges(bot), sources)
