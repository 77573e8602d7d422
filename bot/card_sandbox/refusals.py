"""What the API refuses, in the form Stripe refuses it: https://docs.stripe.com/api/errors."""

from bot.card_sandbox.objects import Json


class StripeRefusal(Exception):
    """`status` is the HTTP status, `kind` what Stripe calls `type`. A refusal that `was_carried_out` is kept under its idempotency
    key, as Stripe keeps whatever came of a request once it had begun to carry it out."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        parameter: str = "",
        was_carried_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.parameter = parameter
        self.was_carried_out = was_carried_out

    def body(self) -> Json:
        error = {"message": str(self), "type": self.kind, "code": self.code, "param": self.parameter}
        return {"error": {name: value for name, value in error.items() if value}}


def invalid(parameter: str, message: str, code: str = "") -> StripeRefusal:
    return StripeRefusal(400, message, parameter=parameter, code=code)


def unknown_parameter(parameter: str) -> StripeRefusal:
    return invalid(parameter, f"Received unknown parameter: {parameter}", "parameter_unknown")


def missing(parameter: str) -> StripeRefusal:
    return invalid(parameter, f"Missing required param: {parameter}.", "parameter_missing")


def no_such(kind: str, identity: str, parameter: str = "id") -> StripeRefusal:
    message = f"No such {kind}: '{identity}'"
    if "_live_" in identity:
        message += (
            "; a similar object exists in live mode, but a test mode key was used to make this request."
        )
    return StripeRefusal(404, message, code="resource_missing", parameter=parameter)


def wrong_key() -> StripeRefusal:
    return StripeRefusal(401, "Invalid API Key provided.")


def no_key() -> StripeRefusal:
    return StripeRefusal(401, "You did not provide an API key.")


def live_key() -> StripeRefusal:
    return StripeRefusal(
        401,
        "This is a sandbox with test money only: it takes no live key. Give it its own, which begins with sk_test_.",
    )


def other_parameters() -> StripeRefusal:
    return StripeRefusal(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with.",
        kind="idempotency_error",
    )


def key_in_use() -> StripeRefusal:
    return StripeRefusal(
        409,
        "There is currently another in-progress request using this Idempotency Key.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )


def not_now(parameter: str, message: str, code: str = "") -> StripeRefusal:
    """The request is well formed, and things do not stand so that it can be carried out."""
    return StripeRefusal(400, message, parameter=parameter, code=code, was_carried_out=True)
