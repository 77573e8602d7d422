"""What is halted, and the switches: payments, sends, and the end of the service."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from bot.admin.acts import Part
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here


class SwitchPages:
    def __init__(self, house: House) -> None:
        self.house, self.switching = house, house.office.switching

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/switches", self.all),
            Does("/switches/payments/pause", "payments.pause", self.pause_payments),
            Does("/switches/payments/resume", "payments.resume", self.resume_payments),
            Does("/switches/sends/pause", "sends.pause", self.pause_sends),
            Does("/switches/sends/resume", "sends.resume", self.resume_sends),
            Does("/switches/wind-down/begin", "wind-down.begin", self.wind_down),
            Does("/switches/wind-down/end", "wind-down.end", self.end_wind_down),
        )

    def all(self, request: Request, seat: Here) -> Response:
        halted = {switch.value: since for switch, since in seat.reads(self.switching.those_on).items()}
        return self.house.show(request, "admin/switches.html", actor=seat.actor, halted=halted)

    def pause_payments(self, seat: Here, form: Form) -> Response:
        return self._pause(seat, form, Part.PAYMENTS)

    def pause_sends(self, seat: Here, form: Form) -> Response:
        return self._pause(seat, form, Part.SENDS)

    def _pause(self, seat: Here, form: Form, part: Part) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.switching.pause(session, actor, part, reason=reason))
        return done("/admin/switches")

    def resume_payments(self, seat: Here, form: Form) -> Response:
        return self._resume(seat, form, Part.PAYMENTS)

    def resume_sends(self, seat: Here, form: Form) -> Response:
        return self._resume(seat, form, Part.SENDS)

    def _resume(self, seat: Here, form: Form, part: Part) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.switching.resume(session, actor, part, reason=reason))
        return done("/admin/switches")

    def wind_down(self, seat: Here, form: Form) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.switching.wind_down(session, actor, reason=reason))
        return done("/admin/switches")

    def end_wind_down(self, seat: Here, form: Form) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.switching.end_wind_down(session, actor, reason=reason))
        return done("/admin/switches")
