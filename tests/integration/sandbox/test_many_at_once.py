"""Many clients at once: nothing is lost, nothing is done twice, and stopping does not wait for anybody."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from bot.sandbox.core import World
from bot.sandbox.http import serve


class TestManyAtOnce:
    def test_all_is_done_once_with_ids_of_its_own(self, clients):
        world = World()
        bot = world.create_person("smoney", open_messages=True)
        people = [world.create_person(f"person{number}") for number in range(4)]
        with serve(world) as served:

            def act(number):
                client = clients.Plain(served.address, world)
                person = people[number]
                path = f"/2/dm_conversations/with/{bot.id}/messages"
                for turn in range(25):
                    assert (
                        client.user(person, "POST", "/2/tweets", json={"text": f"@smoney {turn}"}).status_code
                        == 201
                    )
                    assert client.user(person, "POST", path, json={"text": f"{turn}"}).status_code == 201
                    assert client.user(person, "GET", f"/2/users/{bot.id}/mentions").status_code == 200
                client.close()

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(act, range(4)))
        assert len(set(world.posts.ids_mentioning(bot.id))) == 100
        assert len(set(world.messages.ids_of(bot.id))) == 100

    def test_stopping_ends_open_streams_at_once(self, clients):
        world = World()
        world.create_person("smoney", open_messages=True)
        ended = threading.Event()

        def listen(address):
            headers = {"Authorization": f"Bearer {world.app.bearer_token}"}
            with requests.get(
                f"{address}/2/tweets/search/stream", headers=headers, stream=True, timeout=30
            ) as stream:
                connected.set()
                list(stream.iter_lines())
            ended.set()

        connected = threading.Event()
        with serve(world) as served:
            thread = threading.Thread(target=listen, args=[served.address])
            thread.start()
            events = requests.get(f"{served.address}/sandbox/events", stream=True, timeout=30)
            assert connected.wait(5)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert ended.wait(5)
        thread.join()
        assert b"data: " in b"".join(events.iter_content(100))
        events.close()
