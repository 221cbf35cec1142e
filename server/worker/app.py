"""The Celery app. It carries hints ("there is work"), never a check: the rows are the truth."""

from __future__ import annotations

from typing import Any, Final

from celery import Celery

from server.settings import Settings

EMBEDDED_BROKER: Final = "memory://localhost"
QUEUE: Final = "checks"
# The in-process broker is polled. Fifty looks a second cost .3 % of a core and 10 ms on average.
POLL_SECONDS: Final = 0.02


def make_celery(settings: Settings) -> Celery:
    app = Celery("unmask", broker=EMBEDDED_BROKER, set_as_current=False)
    app.conf.update(
        _always(settings),
        broker_transport_options={"polling_interval": POLL_SECONDS},
        # The relay bounds the hints. A bound here would wait for acknowledgements, which a broker without an event
        # loop gets every two seconds only: two checks in two seconds, however short they are.
        worker_prefetch_multiplier=0,
    )
    return app


def _always(settings: Settings) -> dict[str, Any]:
    return {
        "worker_pool": "threads",
        "worker_concurrency": settings.concurrency,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_default_queue": QUEUE,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
    }
