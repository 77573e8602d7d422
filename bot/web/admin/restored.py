"""After a restore: what X still has, held against the book, and an owner's word that payments go on, as `smoney reconcile` has it."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from bot.auditing import verify
from bot.errors import Misconfigured, TryLater
from bot.keeping.reconciling import Reconciling, Standing
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here


class RestoredPages:
    def __init__(self, house: House) -> None:
        self.house = house
        bot, office = house.bot, house.office
        self.reconciling = Reconciling(
            bot.database, bot.courier.gateway, office.outbox, office.log, house.bot.clock
        )

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/restored", self.standing),
            Does("/restored/done", "book.reconcile", self.finish),
        )

    def standing(self, request: Request, seat: Here) -> Response:
        return self.house.show(request, "admin/restored.html", actor=seat.actor, standing=self._look())

    def _look(self) -> Standing | None:
        """Asks X for what the bot has said since."""
        try:
            return self.reconciling.look()
        except TryLater as later:
            raise Misconfigured("X", f"cannot be asked now ({later}). Try again in a minute.") from None

    def finish(self, seat: Here, form: Form) -> Response:
        """Not before the whole book was found to hold."""
        standing = self._look()
        if standing is None:
            raise Misconfigured("this book", "was not restored, or was reconciled before.")
        findings = verify(self.house.bot.database, self.house.site.settings).findings
        if findings:
            raise Misconfigured("this book", f"does not hold: {findings[0]} `smoney ledger verify` says all.")
        self.reconciling.finish(seat.reads(seat.at), standing, reason=form.get("reason", ""))
        return done("/admin/restored")
