"""Log lines: structlog, JSON on stderr; the standard library's loggers (celery, gunicorn, alembic) go the same way.

What belongs to one request or check is bound once, with `structlog.contextvars`, and is in every line of it.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Final

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from server.settings import Settings

# Never in a log line, whoever passes them.
SECRET_KEYS: Final = frozenset({"password", "token", "secret", "authorization", "cookie", "csrf", "link"})
# They say two lines for every task or step; their warnings are wanted.
CHATTY: Final = ("celery", "kombu", "alembic", "gunicorn.error", "PIL", "urllib3")


def configure(settings: Settings, process: str) -> None:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        hide_secrets,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    sys.excepthook = _crashed


def hide_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    for key in event:
        if key.lower() in SECRET_KEYS:
            event[key] = "***"
    return event


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends a process is a log line like any other."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("crashed", exc_info=(kind, error, trace))


def _named(process: str) -> Processor:
    def name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return name


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty()):
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
