"""What is logged: one line of JSON for each event, to standard error, with our own words, ids and counts.

No body, no header, no value, no address with what it asks for: an error is told by its type and where it happened.
Other libraries log through here too, and of what they say only their own words are kept, never what is put into them.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up(level: str) -> None:
    """Log from `level` on, and let other libraries' messages through only without what they are about."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, _timed, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Bare()]
    root.setLevel(max(_LEVELS[level], logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "httpcore", "httpx", "sqlalchemy", "alembic"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)


def _timed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event


class _Bare(logging.Handler):
    """Logs where a message of another library comes from, and an error's type; not what it says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record without its words: they may be made of anything."""
        error = record.exc_info[1] if record.exc_info else None
        failure = where(error) if error is not None else {}
        event = log()
        event.log(record.levelno, "library", logger=record.name, line=f"{record.module}:{record.lineno}", **failure)


def log() -> Any:
    """Return the logger."""
    return structlog.get_logger()


def where(error: BaseException) -> dict[str, str]:
    """Return an error's type and the lines it went through: nothing that it says, for it may say anything."""
    lines, trace = [], error.__traceback__
    while trace is not None:
        lines.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": " ".join(lines[-8:])}
