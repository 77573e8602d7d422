"""X's API v2: who is who."""

from bot.sandbox import asked
from bot.sandbox.asked import username
from bot.sandbox.call import USER_PARAMETERS, Answer, Call, Json
from bot.sandbox.people import Person
from bot.sandbox.refusals import forbidden, not_found


def me(call: Call) -> Answer:
    person = call.caller.person
    if person is None:
        raise forbidden()
    return _one_user(call, person, "id", str(person.id))


def user_by_id(call: Call) -> Answer:
    return _one_user(call, call.street.user(call.path_id()), "id", call.path["id"])


def user_by_username(call: Call) -> Answer:
    name = username("username", call.path["username"])
    return _one_user(call, call.street.user_named(name), "username", name)


def users_by_id(call: Call) -> Answer:
    ids = call.asked(USER_PARAMETERS, ["ids"]).ids("ids")
    return _users(call, {str(each): call.street.user(each) for each in ids}, "ids")


def users_by_username(call: Call) -> Answer:
    names = call.asked(USER_PARAMETERS, ["usernames"]).usernames()
    return _users(call, {each: call.street.user_named(each) for each in names}, "usernames")


def _one_user(call: Call, person: Person | None, parameter: str, value: str) -> Answer:
    renderer = call.renderer(call.asked(USER_PARAMETERS), asked.USER_EXPANSIONS)
    if person is None:
        return Answer({"errors": [no_user(call, parameter, value)]})
    return Answer({"data": renderer.user(person)})


def _users(call: Call, found: dict[str, Person | None], parameter: str) -> Answer:
    query = call.asked(USER_PARAMETERS, [parameter])
    renderer = call.renderer(query, asked.USER_EXPANSIONS)
    data = [renderer.user(person) for person in found.values() if person is not None]
    errors = [no_user(call, parameter, value) for value, person in found.items() if person is None]
    return Answer({name: value for name, value in {"data": data, "errors": errors}.items() if value})


def no_user(call: Call, parameter: str, value: str) -> Json:
    """X tells a suspended person from one who never was."""
    people = call.world.people
    by_id = people.get(int(value)) if parameter in ("id", "ids") else None
    person = by_id if by_id is not None else people.holder(value)
    problem = not_found("user", parameter, value)
    if person is not None and person.suspended and not person.gone:
        problem |= {"title": "Forbidden", "detail": f"User has been suspended: [{value}]."}
    return problem
