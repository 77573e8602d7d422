"""X's API v2: reading, writing, editing and deleting posts."""

from bot.sandbox import asked
from bot.sandbox.asked import identity
from bot.sandbox.call import POST_PARAMETERS, TIME_PARAMETERS, Answer, Call, Json, object_in, only, text_in
from bot.sandbox.refusals import invalid, not_found
from bot.sandbox.render import newer
from bot.sandbox.user_routes import no_user
from bot.x.text import escape


def mentions(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, TIME_PARAMETERS)
    person = call.street.world.people.get(call.path_id())
    if person is None or not person.findable:
        return Answer({"errors": [no_user(call, "id", call.path["id"])]})
    listing = call.street.mentions(call.caller, person.id, query.range(least=5, usual=10))
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).posts_page(listing))


def posts_of(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, TIME_PARAMETERS, ["exclude"])
    person = call.street.world.people.get(call.path_id())
    if person is None or not person.findable:
        return Answer({"errors": [no_user(call, "id", call.path["id"])]})
    exclude = query.names("exclude", frozenset({"replies", "retweets"}))
    listing = call.street.posts_of(call.caller, person.id, query.range(least=5, usual=10), exclude)
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).posts_page(listing))


def post_by_id(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS)
    post = call.street.post(call.caller, call.path_id())
    if post is None:
        return Answer({"errors": [not_found("tweet", "id", call.path["id"])]})
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).single_post(post))


def posts_by_id(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, ["ids"])
    found = {each: call.street.post(call.caller, each) for each in query.ids("ids")}
    answer = call.renderer(query, asked.POST_EXPANSIONS).posts(
        post for post in found.values() if post is not None
    )
    missing = [not_found("tweet", "ids", str(each)) for each, post in found.items() if post is None]
    if missing:
        answer["errors"] = [*missing, *answer.get("errors", [])]
    return Answer(answer)


def create_post(call: Call) -> Answer:
    call.asked()
    only(call.body, "text", "reply", "quote_tweet_id", "edit_options", "reply_settings")
    text = text_in(call.body)
    if "edit_options" in call.body:
        options = only(object_in(call.body, "edit_options"), "previous_post_id")
        before = identity("previous_post_id", options.get("previous_post_id"))
        post = call.street.edit_post(call.caller, before, text)
    else:
        post = call.street.create_post(call.caller, text, **_reply(call.body), quote_of=_quote(call.body))
    history = [str(each) for each in call.world.posts.history(post)]
    shown = {"id": str(post.id), "text": escape(post.text), "edit_history_tweet_ids": history}
    return Answer({"data": newer(shown) if call.world.newer_names else shown}, 201)


def delete_post(call: Call) -> Answer:
    call.asked()
    return Answer({"data": {"deleted": call.street.delete_post(call.caller, call.path_id())}})


def _reply(body: Json) -> Json:
    if "reply" not in body:
        return {}
    known = ("in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata")
    reply = only(object_in(body, "reply"), *known)
    left_out = reply.get("exclude_reply_user_ids", [])
    if not isinstance(left_out, list):
        raise invalid("reply.exclude_reply_user_ids", left_out, "must be a list")
    return {
        "in_reply_to": identity("reply.in_reply_to_tweet_id", reply.get("in_reply_to_tweet_id")),
        "left_out": [identity("reply.exclude_reply_user_ids", each) for each in left_out],
    }


def _quote(body: Json) -> int | None:
    return identity("quote_tweet_id", body["quote_tweet_id"]) if "quote_tweet_id" in body else None
