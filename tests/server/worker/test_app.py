from __future__ import annotations

from server.settings import Settings
from server.store.db import Database
from server.worker.app import QUEUE, make_celery
from server.worker.relay import Hints
from server.worker.runs import Runs
from server.worker.tasks import register
from tests.server.worker.toys import finish, row, submit, tools


def test_a_hint_travels_through_the_broker_and_is_answered(settings: Settings, database: Database) -> None:
    app, hints = make_celery(settings), Hints(2)
    runs = Runs(finish, tools(settings, database), "me:1:a")
    ring = register(app, runs, hints)
    check_id = submit(database)
    assert hints.take(1) == 1
    ring()
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(QUEUE).get(timeout=5)
        message.ack()
    assert message.headers["task"] == "unmask.work"
    assert message.payload[:2] == [[], {}], "a hint names no check"
    app.tasks["unmask.work"]()
    assert row(database, check_id).state == "complete"
    assert hints.take(1) == 1, "the hint was counted out"


def test_the_app_serves_as_many_checks_at_once_as_the_settings_say() -> None:
    conf = make_celery(Settings(concurrency=5)).conf
    assert (conf.worker_concurrency, conf.worker_pool, conf.broker_url) == (5, "threads", "memory://localhost")
