import threading
import time

from bot.admin import passwords

PASSWORD = "correct horse battery"


def test_are_kept_as_rfc_9106_advises_where_memory_is_bounded():
    kept = passwords.hashed(PASSWORD, lambda n: b"s" * n)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.fits(PASSWORD, kept)


def test_cost_the_same_work_for_a_name_nobody_has():
    began = time.thread_time()
    assert not passwords.fits(PASSWORD, None)
    nobody = time.thread_time() - began
    kept = passwords.hashed(PASSWORD, lambda n: b"s" * n)
    began = time.thread_time()
    assert not passwords.fits("wrong horse battery", kept)
    known = time.thread_time() - began
    assert known / 3 < nobody < known * 3


def test_take_memory_for_two_at_once_and_no_more(monkeypatch):
    monkeypatch.setattr(passwords, "WAITS_SECONDS", 0.01)
    outcome: list[object] = []

    def tries() -> None:
        try:
            outcome.append(passwords.fits(PASSWORD, None))
        except passwords.TooManyAtOnce as busy:
            outcome.append(busy)

    threads = [threading.Thread(target=tries) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(each, passwords.TooManyAtOnce) for each in outcome)
    assert sum(each is False for each in outcome) >= passwords.AT_ONCE
