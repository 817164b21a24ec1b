"""Commands on the service's store, its audit trail included: `precaution store ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from precaution.cli import options
from precaution.cli.group import Helpful, precaution
from precaution.cli.output import emit
from precaution.errors import NOT_WHOLE, UsageError

if TYPE_CHECKING:
    from datetime import date

    from precaution.service.store import Head, Report, Store

_TOGETHER = 500
"""Lines that are printed at once."""
_STORE = "sqlite:///store.sqlite"

_where = click.option(
    "--store",
    "url",
    required=True,
    envvar="PRECAUTION_STORE_URL",
    show_envvar=True,
    metavar="URL",
    help="The store, as sqlite:///store.sqlite or postgresql://host/database.",
)


@precaution.group(
    "store",
    cls=Helpful,
    short_help="Look after what the service keeps; verify its audit trail.",
    epilog=options.examples(
        "precaution store upgrade --store postgresql://localhost/precaution",
        f"precaution store purge --store {_STORE} --days 3650",
        f"precaution store verify --store {_STORE} --head head.json",
        f"precaution store head --store {_STORE} > head.json",
        f"precaution store export --store {_STORE} > events.ndjson",
    ),
)
def store_group() -> None:
    """Look after the store of `precaution serve`: cards given, feedback, answers, and the audit trail."""


@store_group.command(
    short_help="Make or upgrade the store's tables.",
    epilog=options.examples("precaution store upgrade --store postgresql://localhost/precaution"),
)
@_where
def upgrade(url: str) -> None:
    """Make the store's tables, or bring them to this program's version, as one transaction.

    SQLite's are made and upgraded by `precaution serve` itself. Take a backup first: there is no way back.
    """
    before, after = _named(url).upgrade()
    was = "as before" if before == after else f"were {before or 'none'}"
    emit(f"the tables are of version {after}, {was}\n")


@store_group.command(
    short_help="Delete what was kept for long enough.",
    epilog=options.examples(f"precaution store purge --store {_STORE} --days 3650"),
)
@_where
@click.option(
    "--days",
    type=click.IntRange(min=1, max=36_500),
    default=3650,
    show_default=True,
    envvar="PRECAUTION_RETENTION_DAYS",
    show_envvar=True,
    metavar="N",
    help="How long things are kept.",
)
@click.option(
    "--today",
    type=options.Day(),
    metavar="DAY",
    help="The day from which --days are counted back, as 2025-03-01. [default: today; a message says so]",
)
@options.as_json
def purge(url: str, days: int, today: date | None, json: bool) -> None:
    """Delete what was kept for longer than --days and has no effect any more; the audit trail stays whole."""
    from precaution.service.store import Terms
    from precaution.writers.structured import as_json

    day = options.chosen_day(today).isoformat()
    gone = _opened(url, terms=Terms(retention_days=days)).purge(day)._asdict()
    emit(as_json(gone) if json else "deleted " + ", ".join(f"{count} {name}" for name, count in gone.items()) + "\n")


@store_group.command(
    short_help="See whether the audit trail is whole.",
    epilog=options.examples(
        f"precaution store verify --store {_STORE}",
        f"precaution store verify --store {_STORE} --head head.json",
    ),
)
@_where
@click.option(
    "--head",
    "known",
    type=click.File("rb"),
    metavar="FILE",
    help="A head that `precaution store head` wrote before, kept elsewhere: it shows a trail cut off or made anew.",
)
@options.as_json
def verify(url: str, known: Any, json: bool) -> None:
    """See whether the audit trail is whole: nothing edited, deleted, or put elsewhere.

    Leaves with exit code 8 where it is not, and lists what is wrong. Only with a head that was exported before can
    it be seen that the end was cut off, or that all was made anew.
    """
    from precaution.writers.structured import as_json

    report = _opened(url).verify(_head(known.read()) if known is not None else None)
    emit(as_json(_as_dict(report)) if json else _told(report, compared=known is not None))
    if not report.whole:
        raise click.exceptions.Exit(NOT_WHOLE)


@store_group.command(
    short_help="Print the head of the audit trail.",
    epilog=options.examples(f"precaution store head --store {_STORE} > head.json"),
)
@_where
def head(url: str) -> None:
    """Print the number and the hash of the last event as JSON, to keep where the store's keepers can't change it."""
    from precaution.writers.structured import as_json

    emit(as_json(_opened(url).head()._asdict()))


@store_group.command(
    short_help="Write the audit trail as FHIR AuditEvents.",
    epilog=options.examples(f"precaution store export --store {_STORE} --after 1200"),
)
@_where
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Only what follows event N.")
@click.option(
    "--service",
    "address",
    default="",
    metavar="URL",
    help="The service's address, to be named in each event.",
)
def export(url: str, after: int, address: str) -> None:
    """Write the audit trail as NDJSON, a FHIR R4 AuditEvent (IHE BALP) in each line. It names patients by their ids."""
    import json

    from precaution.service.audit_events import audit_event

    lines: list[str] = []
    for link in _opened(url).trail(after):
        lines.append(json.dumps(audit_event(link, address), separators=(",", ":")) + "\n")
        if len(lines) == _TOGETHER:
            emit("".join(lines))
            lines.clear()
    emit("".join(lines))


def _named(url: str, **more: Any) -> Store:
    from precaution.service.store import Store

    store = Store(url, **more)
    click.get_current_context().call_on_close(store.close)
    return store


def _opened(url: str, **more: Any) -> Store:
    return _named(url, **more).open(make=False)


def _head(data: bytes) -> Head:
    from precaution.readers.json_input import parsed
    from precaution.service.store import Head

    found = parsed(data, "the head")[0]
    if isinstance(found, dict) and isinstance(found.get("seq"), int) and isinstance(found.get("hash"), str):
        return Head(found["seq"], found["hash"])
    raise UsageError("--head: the file holds no head; `precaution store head` writes one")


def _as_dict(report: Report) -> dict[str, object]:
    return {
        "whole": report.whole,
        "events": report.links,
        "purged": report.purged,
        "head": report.head._asdict(),
        "problems": report.problems,
        "more_problems": report.more,
    }


def _told(report: Report, *, compared: bool) -> str:
    lines = [f"{report.links} events, {report.purged} of them without details, which were kept for long enough"]
    lines += [f"■ {problem}" for problem in report.problems]
    if report.more:
        lines.append(f"and {report.more} more problems")
    lines.append(f"head {report.head.seq} {report.head.hash}")
    if not report.whole:
        lines.append("■ not whole: keep a copy of the store as it is, and find out who could write to it")
    elif compared:
        lines.append("● whole")
    else:
        lines.append("● whole as far as it goes; whether its end was cut off shows only with --head")
    return "\n".join(lines) + "\n"
