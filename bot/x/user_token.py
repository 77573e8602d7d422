"""The OAuth 2 user token with which the bot subscribes to its own events: it ends after two hours and is renewed.

X gives a new refresh token with each, and the old one serves once; both stand sealed in the database. The first refresh
token comes from the settings. If X took a refresh token and its answer was lost, nobody has the next: then the bot's owner
authorises the app anew, and it polls until then.
"""

from dataclasses import dataclass
from datetime import timedelta

import requests
from sqlmodel import Session

from bot.errors import GatewayUnavailable, Misconfigured
from bot.store.vault import Vault
from bot.store.x_tables import UserTokenRow
from bot.x.gateway import UserId
from bot.x.wire import Refused, WireFault
from ledger.clock import Clock
from ledger.database import Database

PATH = "/2/oauth2/token"
SPARE = timedelta(minutes=5)
SHORTEST = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class UserToken:
    database: Database
    vault: Vault
    clock: Clock
    session: requests.Session
    user_id: UserId
    client_id: str
    client_secret: str
    first_refresh_token: str

    def access(self) -> str:
        """A token that is good for some minutes at least. Raises `Misconfigured`, `GatewayUnavailable`."""
        row = self.database.read(lambda session: session.get(UserTokenRow, self.user_id))
        if row is not None and row.access_sealed is not None and row.expires_at - self.clock() > SPARE:
            return self._open(row.access_sealed, "access")
        return self._renew(row)

    def expire(self) -> None:
        """X no longer takes the token: the next one is fetched, whatever its time said."""

        def work(session: Session) -> None:
            row = session.get(UserTokenRow, self.user_id)
            if row is not None:
                row.expires_at = self.clock()
                session.add(row)

        self.database.write(work)

    def _renew(self, row: UserTokenRow | None) -> str:
        kept = (
            None if row is None or row.refresh_sealed is None else self._open(row.refresh_sealed, "refresh")
        )
        answer = self._asked(kept or self.first_refresh_token)
        try:
            access, refresh = str(answer["access_token"]), str(answer["refresh_token"])
            lasts = max(SHORTEST, timedelta(seconds=int(str(answer.get("expires_in", 7200)))))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise GatewayUnavailable("X answered a request for a token with something else") from None
        self.database.write(lambda session: self._keep(session, access, refresh, lasts))
        return access

    def _asked(self, refresh_token: str) -> dict[str, object]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        url = f"https://api.twitter.com{PATH}"
        try:
            response = self.session.post(url, data=form, auth=(self.client_id, self.client_secret))
            found = response.json()
        except Refused as refused:
            if refused.response.status_code in {400, 401, 403}:
                raise Misconfigured(
                    "SMONEY_X_REFRESH_TOKEN",
                    "X does not take it (any more).",
                    example="authorise the app anew with offline.access, as docs/operating/going-live.md says",
                ) from None
            raise GatewayUnavailable(
                f"X answered {refused.response.status_code} to a request for a token"
            ) from None
        except (WireFault, ValueError) as fault:
            raise GatewayUnavailable(f"X gave no token: {fault}") from None
        if not isinstance(found, dict):
            raise GatewayUnavailable("X answered a request for a token with something else")
        return found

    def _keep(self, session: Session, access: str, refresh: str, lasts: timedelta) -> None:
        row = session.get(UserTokenRow, self.user_id) or UserTokenRow(
            user_id=self.user_id, expires_at=self.clock()
        )
        row.access_sealed, row.refresh_sealed = self._seal(access, "access"), self._seal(refresh, "refresh")
        row.expires_at = self.clock() + lasts
        session.add(row)

    def _seal(self, token: str, column: str) -> bytes:
        return self.vault.seal(token, table="user_tokens", row_id=self.user_id, column=column)

    def _open(self, sealed: bytes, column: str) -> str:
        return self.vault.open(sealed, table="user_tokens", row_id=self.user_id, column=column)
