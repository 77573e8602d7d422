"""What arrived and what is to be said, row by row: look, try again, give up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import Response

from bot.admin.pages import LARGEST_ID, LONG
from bot.admin.queues import FAR, Queues, Row
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Form, Here, Id

INBOX_STATES: Final = ("set_aside", "waiting", "done")
OUTBOX_STATES: Final = ("failed", "unknown", "waiting", "sending", "sent", "dropped")
"""An index finds their rows, or most rows are in them; what was dropped is looked for a stretch at a time."""
DROPPED: Final = "dropped"


@dataclass(frozen=True, slots=True)
class QueuePages:
    house: House

    @property
    def queues(self) -> Queues:
        return self.house.office.queues

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/inbox", self.inbox),
            Looks("/inbox/{row_id}", self.inbox_row),
            Does("/inbox/{row_id}/retry", "inbox.retry", self.retry_inbox),
            Does("/inbox/{row_id}/drop", "inbox.drop", self.drop_inbox),
            Looks("/outbox", self.outbox),
            Looks("/outbox/{row_id}", self.outbox_row),
            Does("/outbox/{row_id}/retry", "outbox.retry", self.retry_outbox),
            Does("/outbox/{row_id}/drop", "outbox.drop", self.drop_outbox),
        )

    def inbox(self, request: Request, seat: Here, state: str = "", before: Before = LARGEST_ID) -> Response:
        chosen = state if state in INBOX_STATES else None
        rows = seat.reads(
            lambda session: self.queues.inbox(session, state=chosen, limit=LONG + 1, before=before)
        )
        return self._listed(request, seat, "inbox", rows, INBOX_STATES, chosen)

    def outbox(self, request: Request, seat: Here, state: str = "", before: Before = LARGEST_ID) -> Response:
        chosen = state if state in OUTBOX_STATES else None
        if chosen == DROPPED:
            far = seat.reads(lambda session: self.queues.outbox_far(session, DROPPED, before=before))
            return self._shown(
                request, seat, "outbox", far.rows, far.older, OUTBOX_STATES, chosen, is_cut=far.is_cut
            )
        rows = seat.reads(
            lambda session: self.queues.outbox_rows(session, state=chosen, limit=LONG + 1, before=before)
        )
        return self._listed(request, seat, "outbox", rows, OUTBOX_STATES, chosen)

    def _listed(
        self,
        request: Request,
        seat: Here,
        queue: str,
        rows: list[Row],
        states: Sequence[str],
        state: str | None,
    ) -> Response:
        """Of one row more than fits, which tells that there are older ones."""
        older = rows[LONG - 1]["id"] if len(rows) > LONG else None
        return self._shown(request, seat, queue, rows[:LONG], older, states, state)

    def _shown(
        self,
        request: Request,
        seat: Here,
        queue: str,
        rows: list[Row],
        older: object,
        states: Sequence[str],
        state: str | None,
        *,
        is_cut: bool = False,
    ) -> Response:
        return self.house.show(
            request,
            "admin/queue.html",
            actor=seat.actor,
            queue=queue,
            rows=rows,
            older_id=older,
            states=states,
            state=state,
            looked_at=FAR if is_cut else 0,
        )

    def inbox_row(self, request: Request, seat: Here, row_id: Id) -> Response:
        row = seat.reads(lambda session: self.queues.inbox_row(session, row_id))
        again = row["state"] == "set_aside"
        return self._row(request, seat, "inbox", row, again=again, drop=again)

    def outbox_row(self, request: Request, seat: Here, row_id: Id) -> Response:
        row = seat.reads(lambda session: self.queues.outbox_row(session, row_id))
        again, drop = row["state"] in {"failed", "dropped"}, row["state"] == "waiting"
        return self._row(request, seat, "outbox", row, again=again, drop=drop)

    def _row(
        self, request: Request, seat: Here, queue: str, row: Row, *, again: bool, drop: bool
    ) -> Response:
        log, subject = self.house.office.log, f"{queue} {row['id']}"
        seat.notes(f"{queue}.look", subject)
        return self.house.show(
            request,
            "admin/queue_row.html",
            actor=seat.actor,
            queue=queue,
            row=row,
            again=again,
            drop=drop,
            actions=seat.reads(lambda session: log.newest(session, subject=subject, limit=10)),
        )

    def retry_inbox(self, seat: Here, form: Form, row_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.queues.retry_inbox(session, actor, row_id, reason=reason))
        return done(f"/admin/inbox/{row_id}")

    def drop_inbox(self, seat: Here, form: Form, row_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.queues.drop_inbox(session, actor, row_id, reason=reason))
        return done(f"/admin/inbox/{row_id}")

    def retry_outbox(self, seat: Here, form: Form, row_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.queues.retry_outbox(session, actor, row_id, reason=reason))
        return done(f"/admin/outbox/{row_id}")

    def drop_outbox(self, seat: Here, form: Form, row_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.queues.drop_outbox(session, actor, row_id, reason=reason))
        return done(f"/admin/outbox/{row_id}")
