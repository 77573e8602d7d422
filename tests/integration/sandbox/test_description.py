"""The judge over the whole run: that it sees every sandbox, that it objects, and that it is cheap enough to be always there."""

from typing import Any

import pytest

from bot.sandbox.http import serve
from bot.sandbox.render import Renderer
from bot.sandbox.x_api import Exchange
from tests.description import DESCRIPTION, Judge, Objection, _document, _flat, all_judged

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DESCRIPTION.exists(), reason="X's description is not beside the project (shared)"),
]


def said(path: str, body: bytes, *, status: int = 200, media: str = "application/json") -> Exchange:
    return Exchange("GET", path, {}, status, media, body)


class TestJudge:
    @pytest.fixture
    def judged(self, world, bot, clients):
        """Asks these paths of a sandbox, and gives the judge once that has ended."""

        def ask(*paths: str) -> Judge:
            judge = Judge()
            with serve(world, observe=judge) as served:
                client = clients.Plain(served.address, world)
                for path in paths:
                    client.user(bot, "GET", path)
                client.close()
            return judge

        return ask

    def test_judges_every_answer(self, judged):
        assert judged("/2/users/me", "/2/users/nonsense").judged == 2

    def test_reads_what_it_has_read_before_no_second_time(self, judged, bot):
        judge = judged(*[f"/2/users/{bot.id}/mentions"] * 3)
        assert (judge.judged, judge.read) == (3, 1)

    def test_reads_what_is_new_in_a_list_whose_rest_it_has_read(self):
        judge = Judge()
        item = '{{"id":"{}","event_type":"MessageCreate","text":"a"}}'
        good = [item.format(number) for number in (9, 8, 7)]
        listed = '{"data":[%s],"meta":{"result_count":%d}}'
        judge(said("/2/dm_events", (listed % (",".join(good), 3)).encode()))
        judge(said("/2/dm_events", (listed % (",".join(good[1:]), 2)).encode()))
        for wrong in ('{"id":"6","text":"a"}', '{"id":"6","event_type":"MessageCreate","txt":"a"}'):
            with pytest.raises(Objection, match=r"event_type|txt"):
                judge(said("/2/dm_events", (listed % (",".join([*good, wrong]), 4)).encode()))

    @pytest.mark.parametrize(
        ("body", "objection"),
        [
            (b'{"data":{"id":1,"username":"a","name":"b"}}', "is not of type"),
            (b'{"data":{"id":"1","username":"a","name":"b","autor_id":"2"}}', "autor_id"),
            (b'{"data":{"id":"1","username":"a"}}', "required"),
            (b"{}", "neither data nor"),
        ],
    )
    def test_objects_to_what_is_wrong(self, body, objection):
        with pytest.raises(Objection, match=objection):
            Judge()(said("/2/users/me", body))

    @pytest.mark.parametrize(
        ("body", "objection"),
        [
            (b'{"meta":{"result_count":1}}', "result_count"),
            (b'{"data":[],"meta":{"result_count":0}}', "non-empty|too short"),
            (b'{"data":[{"id":"1"}],"meta":{"result_count":1}}', "without text"),
            (
                b"""{"data":[{"id":"1","text":"","edit_history_tweet_ids":["1"]},
                {"id":"2","text":"","edit_history_tweet_ids":["2"]}],"meta":{"result_count":2}}""",
                "newest first",
            ),
            (
                b"""{"data":[{"id":"1","text":"hi @bo","edit_history_tweet_ids":["1"],"entities":
                {"mentions":[{"start":2,"end":5,"username":"bo","id":"7"}]}}],"meta":{"result_count":1}}""",
                "points at",
            ),
        ],
    )
    def test_misses_what_is_absent_from_a_page(self, body, objection):
        with pytest.raises(Objection, match=objection):
            Judge()(said("/2/users/1/mentions", body))

    @pytest.mark.parametrize(
        ("path", "body", "objection"),
        [
            ("/2/activity/stream", b'{"data":{"event_type":"dm.received"}}', "without payload"),
            (
                "/2/activity/stream",
                b"""{"data":{"event_uuid":"1","filter":{},"event_type":"post.mention.create","tag":"",
                "payload":{"id":"1","text":"","autor_id":"2"},"includes":{}}}""",
                "autor_id",
            ),
            (
                "/2/activity/stream",
                b'{"data":{"event_uuid":"x","filter":{},"event_type":"a","tag":"","payload":{}}}',
                "no number; an event of no known kind",
            ),
            ("/2/activity/subscriptions", b'{"data":[{"tag":""}],"meta":{}}', "without subscription_id"),
            ("/2/webhooks", b'{"data":{"id":"1"}}', "without url"),
            ("/2/oauth2/token", b'{"access_token":"a"}', "without expires_in"),
        ],
    )
    def test_objects_where_x_s_pages_stand_for_its_description(self, path, body, objection):
        with pytest.raises(Objection, match=objection):
            Judge()(said(path, body))

    def test_objects_to_a_problem_that_is_sent_as_json(self):
        body = b'{"title":"a","detail":"b","type":"about:blank","status":404}'
        with pytest.raises(Objection, match="application/problem"):
            Judge()(said("/2/users/me", body, status=404))

    def test_reads_strictly_all_that_it_would_read_as_published(self):
        """One reading is enough: putting `allOf` together and forbidding unknown keys loses no demand of the description."""
        demands = {"type", "properties", "required", "description", "allOf", "$ref", "example", "title"}
        schemas = _document(strict=False)["components"]["schemas"]
        parts: list[dict[str, Any]] = []
        for schema in schemas.values():
            parts += [schema, *schema["allOf"]] if "allOf" in schema else []
        assert parts
        assert {name for part in parts for name in part} <= demands
        assert all("allOf" not in _flat(schema, schemas) for schema in schemas.values())


class TestEverySandbox:
    """Also one whose test says nothing of a judge."""

    @pytest.mark.parametrize("name", ["autor_id", "created_at"])
    def test_of_the_run_is_judged(self, world, bot, clients, monkeypatch, name):
        """Seen on a key that X does not have, and on a time that is none."""
        user = Renderer.user
        monkeypatch.setattr(Renderer, "user", lambda self, person: user(self, person) | {name: "wrong"})

        def ask() -> None:
            with serve(world) as served:
                client = clients.Plain(served.address, world)
                client.user(bot, "GET", "/2/users/me")
                client.close()

        with pytest.raises(ExceptionGroup) as raised:
            ask()
        (objection,) = raised.value.exceptions
        assert isinstance(objection, Objection)
        assert name in str(objection) or "date-time" in str(objection)

    def test_made_by_whatever_code_is_given_the_judge(self, world, bot, clients):
        judge = Judge()
        with all_judged(judge), serve(world) as served:
            client = clients.Plain(served.address, world)
            client.user(bot, "GET", "/2/users/me")
            client.close()
        assert judge.judged == 1
