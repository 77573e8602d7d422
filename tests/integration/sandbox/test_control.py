"""The control API: acting as anybody, breaking things, reading everything, and for this machine only."""

import pytest
import requests


@pytest.fixture
def control(address):
    """Sends JSON and gives the answer; requests without `expect` must succeed."""
    session = requests.Session()
    session.trust_env = False

    def send(path, body=None, *, expect=200, **headers):
        method = "GET" if body is None else "POST"
        answer = session.request(method, f"{address}/sandbox/{path}", json=body, headers=headers, timeout=10)
        assert answer.status_code == expect, answer.text
        return answer.json()

    yield send
    session.close()


class TestControl:
    def test_creates_people_who_post_answer_edit_repost_and_delete(self, control, world, bot):
        control("people", {"username": "carol", "name": "Carol"})
        post = control("posts", {"author": "@carol", "text": "@smoney hi", "language": "en"})["id"]
        reply = control("posts", {"author": str(bot.id), "text": "hello", "in_reply_to": post})["id"]
        control("edit", {"id": post, "text": "@smoney hello"})
        control("repost", {"author": "smoney", "id": post})
        assert [each.visible_text for each in world.timeline()][1:] == ["@smoney hello", "hello"]
        control("delete", {"id": post})
        control("delete", {"id": reply})
        assert len(world.timeline()) == 1

    def test_sends_messages_to_one_and_to_many(self, control, world, bot, bob, alice):
        control("messages", {"sender": "bob", "recipient": "smoney", "text": "start"})
        group = control("groups", {"creator": "bob", "others": ["alice", "smoney"]})["id"]
        control("group-messages", {"sender": "alice", "group": group, "text": "hi"})
        assert [each.text for each in world.thread(bob, bot)] == ["start"]
        assert world.messages.groups_of(alice.id) == [group]

    def test_changes_people(self, control, world, bot, bob):
        control("person", {"person": "bob", "username": "robert", "name": "Robert", "writes_long": True})
        control("person", {"person": "robert", "suspended": True, "protected": True, "blocks": "smoney"})
        assert (bob.username, bob.name, bob.suspended, bob.protected, bob.writes_long) == (
            "robert",
            "Robert",
            True,
            True,
            True,
        )
        assert bob.blocked == {bot.id}
        control("person", {"person": "robert", "closed": True})
        control("people", {"username": "robert"})

    def test_plans_faults_and_forgets_them(self, control, world):
        assert control("faults", {"kind": "lose", "operation": "send_message", "times": 2}) == {"waiting": 1}
        assert control("faults", {"clear": True}) == {"waiting": 0}
        control("faults", {"kind": "earthquake"}, expect=400)

    def test_moves_the_clock_and_drops_streams(self, control):
        assert control("clock", {"advance_seconds": 60}) == {"now": "2026-11-23T12:01:00+00:00"}
        assert control("drop-streams", {}) == {"dropped": True}

    def test_reads_everything_and_what_it_would_have_cost(self, control, plain, world, bot, bob):
        world.post(bob, "@smoney hi")
        for _ in range(2):
            plain.user(bot, "GET", f"/2/users/{bot.id}/mentions")
        assert [each["username"] for each in control("world")["people"]] == ["smoney", "bob"]
        assert control("meter") == {"counts": {"mention read": 1}, "dollars": 0.001}

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("posts", {"author": "nobody", "text": "x"}, 404),
            ("posts", {"author": "bob"}, 400),
            ("posts", {"author": "bob", "text": " "}, 400),
            ("posts", {"author": "bob", "text": "x", "in_reply_to": "abc"}, 400),
            ("edit", {"id": "1", "text": "x"}, 404),
            ("people", {"username": "bob"}, 409),
            ("people", {"username": "not a name"}, 400),
            ("messages", {"sender": "smoney", "recipient": "bob", "text": "x"}, 403),
            ("people", [1], 400),
        ],
        ids=str,
    )
    def test_refuses_with_a_sentence(self, control, bob, path, body, status):
        assert control(path, body, expect=status)["detail"]

    def test_answers_no_other_site_and_no_other_name(self, control):
        control("world", expect=403, Origin="https://evil.example")
        control("world", expect=403, Host="evil.example")
        control("people", {"username": "eve"}, expect=403, Origin="https://evil.example")

    def test_takes_nothing_that_a_form_could_send(self, address):
        answer = requests.post(f"{address}/sandbox/people", data='{"username": "eve"}', timeout=5)
        assert answer.status_code == 415

    def test_forbids_the_page_everything_from_elsewhere(self, address):
        headers = requests.get(f"{address}/", timeout=5).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
