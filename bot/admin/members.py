"""One member as an admin sees them, and how to find them: by X's numeric id, by handle, by a payment's reference."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bot.admin.listing import Listing
from bot.admin.log import AuditLog
from bot.admin.pages import LARGEST_ID
from bot.errors import Misconfigured
from bot.ledger_views import money_text
from bot.people.people import People
from bot.store.tables import IntentRow, PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId
from ledger import reading
from ledger.accounts import AccountId

Row = dict[str, object]
NEWEST = 10


@dataclass(frozen=True, slots=True)
class Members:
    people: People
    vault: Vault
    log: AuditLog
    listing: Listing

    def find(self, session: Session, wanted: str) -> list[Row]:
        """Who is meant by a number, a handle (as last seen) or a reference; several where a handle changed hands."""
        return [self._short(person) for person in self._found(session, wanted)]

    def show(self, session: Session, wanted: str) -> Row:
        """All about one. Raises `Misconfigured` for nobody, or where several are meant."""
        return self._whole(session, self.one(session, wanted))

    def one(self, session: Session, wanted: str) -> PersonRow:
        """Raises as `show`."""
        found = self._found(session, wanted)
        if len(found) != 1:
            what = (
                "is nobody here" if not found else f"may be any of {', '.join(str(p.user_id) for p in found)}"
            )
            raise Misconfigured(wanted, f"{what}.", example="X's numeric id, from `smoney member find`")
        return found[0]

    def taken(self, session: Session, wanted: str) -> PersonRow:
        """The same one, locked, to change something about them."""
        person_id = UserId(self.one(session, wanted).user_id)
        return self.people.lock(session, [person_id])[person_id]

    def _found(self, session: Session, wanted: str) -> list[PersonRow]:
        wanted = wanted.strip()
        if wanted.removeprefix("-").isdecimal() and abs(int(wanted[:20])) <= LARGEST_ID:
            person = session.get(PersonRow, int(wanted[:20]))
            return [person] if person else []
        intent = session.exec(select(IntentRow).where(IntentRow.reference == wanted.upper())).first()
        if intent is not None:
            return [session.get_one(PersonRow, intent.payer_id)]
        indexes = self.vault.blind_indexes(wanted.lstrip("@").lower(), "username")
        rows = select(PersonRow).where(col(PersonRow.username_index).in_(indexes))
        return list(session.exec(rows.order_by(col(PersonRow.user_id))))

    def _short(self, person: PersonRow) -> Row:
        label = self.people.label(person)
        return {
            "id": person.user_id,
            "handle": f"@{label.username}",
            "name": label.name,
            "standing": person.standing,
            "tier": person.tier,
            "frozen": person.frozen_by or "",
        }

    def _whole(self, session: Session, person: PersonRow) -> Row:
        return self._short(person) | {
            "language": self.people.language(person),
            "enrolled_at": _iso(person.enrolled_at),
            "stopped_at": _iso(person.stopped_at),
            "identified_at": _iso(person.identified_at),
            "frozen_at": _iso(person.frozen_at),
            "locked_until": _iso(person.locked_until),
            "barred_at": _iso(person.barred_at),
            "wrong_answers": person.wrong_answers,
            "wallet": self._wallet(session, person),
            "payments": self._payments(session, person),
            "admin_actions": [
                f"{_iso(each.at)} {each.by}: {each.action} ({each.reason})"
                for each in self.log.newest(session, subject=f"person {person.user_id}", limit=NEWEST)
            ],
        }

    @staticmethod
    def _wallet(session: Session, person: PersonRow) -> Row | None:
        account = reading.account(session, AccountId(person.wallet_id)) if person.wallet_id else None
        if account is None:
            return None
        code = account.currency.code
        return {
            "account": account.id,
            "state": account.state.value,
            "posted": money_text(account.posted_minor, code),
            "held": money_text(account.pending_out_minor, code),
            "available": money_text(account.available_minor, code),
            "incoming": money_text(account.pending_in_minor, code),
        }

    def _payments(self, session: Session, person: PersonRow) -> list[str]:
        """The newest, as payer or as payee."""
        return [
            f"{_iso(one.at)} {one.reference} {one.amount} "
            + (f"to {one.payee_id}" if one.payer_id == person.user_id else f"from {one.payer_id}")
            + f": {one.state}, {one.line_state}"
            for one in self.listing.of_person(session, person.user_id, limit=NEWEST)
        ]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
