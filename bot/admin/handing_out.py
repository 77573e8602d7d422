"""Hands somebody's data out for them, where they have no page to fetch it from."""

import json
from dataclasses import dataclass

from sqlmodel import Session

from bot.admin.log import Actor, AuditLog
from bot.admin.members import Members
from bot.people.own_data import OwnData


@dataclass(frozen=True, slots=True)
class HandingOut:
    members: Members
    own_data: OwnData
    log: AuditLog

    def data_of(self, session: Session, actor: Actor, wanted: str, *, reason: str) -> str:
        """Everything kept about one person, as the JSON they would get themselves. Raises `Misconfigured` for nobody, where
        several are meant, and without a reason."""
        person = self.members.one(session, wanted)
        self.log.record(session, actor, "member.data", f"person {person.user_id}", reason=reason)
        return json.dumps(self.own_data.of(session, person), indent=1, ensure_ascii=True)
