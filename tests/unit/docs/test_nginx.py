"""The proxy of docs/operating/nginx.conf speaks to the bot's port, and keeps from strangers what is not for them."""

import re
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.web.admin.routes import PREFIX
from bot.web.shield import OF_MACHINES
from bot.x.pushes import LARGEST_BODY_BYTES

FILE = Path(__file__).parents[3] / "docs" / "operating" / "nginx.conf"
TEXT = "\n".join(line for line in FILE.read_text(encoding="utf-8").splitlines() if line.strip()[:1] != "#")


def location(what: str) -> str:
    """What stands for one location; raises `ValueError` without it."""
    (inside, *_) = re.findall(rf"location {re.escape(what)} \{{(.*?)\}}", TEXT, re.DOTALL)
    return str(inside)


class TestProxy:
    def test_speaks_to_the_address_of_the_settings(self):
        host, port = (Settings.model_fields[name].default for name in ("web_host", "web_port"))
        assert set(re.findall(r"proxy_pass (.*);", TEXT)) == {f"http://{host}:{port}"}

    @pytest.mark.parametrize("path", OF_MACHINES)
    def test_shows_nobody_what_is_for_machines(self, path):
        assert location(f"= {path}").strip() == "return 404;"

    def test_shows_the_admins_pages_to_no_stranger(self):
        assert "deny all;" in location(PREFIX)

    def test_says_itself_who_asks_and_for_which_host(self):
        """What a browser claims of that is never passed on."""
        headers = dict(re.findall(r"proxy_set_header (\S+) (.*);", TEXT))
        assert headers["X-Forwarded-For"] == "$remote_addr"
        assert headers["Host"] == "$host"

    def test_writes_no_path_down(self):
        assert TEXT.count("access_log off;") == TEXT.count("server {")

    def test_lets_a_whole_event_of_x_through(self):
        assert LARGEST_BODY_BYTES == 1024 * 1024
        assert "client_max_body_size 1m;" in TEXT
