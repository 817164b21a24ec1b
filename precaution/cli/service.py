"""The command `serve`: the label's decisions at the point of prescribing, by CDS Hooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from precaution.cli.group import precaution
from precaution.cli.options import Day, examples
from precaution.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

_TOGETHER = """
\b
What it serves:
  GET  /cds-services                discovery
  POST /cds-services/{id}           patient-view, order-select, order-sign
  POST /cds-services/{id}/feedback  what became of the cards
  GET  /decisions/{uuid}            the page that a card links to
  POST /answers                     answers to the label's questions
  GET  /health/live                 whether it runs
  GET  /health/ready                whether its store answers, and every
                                    canary patient came true
  GET  /metrics                     counts and times for Prometheus

\b
A file of settings:
  public-url = "https://cds.example.org"
  require-tokens = true
  cors-origins = ["https://ehr.example.org"]
  store-url = "postgresql://precaution@db.example.org/precaution"
  [[issuer]]                        # who may call
  iss = "https://ehr.example.org"
  jku = "https://ehr.example.org/jwks.json"
  [[fhir-server]]                   # who may be asked for what was not sent
  url = "https://ehr.example.org/fhir/r4"

Each top-level key may also be given by the environment, as PRECAUTION_STORE_URL; an option wins over both. The guide
docs/guides/ehr.md says how a hospital wires it in. By itself the service is reached from this machine alone, and it
refuses to be reached from others without tokens, and TLS or a trusted proxy.
"""


@precaution.command(
    short_help="Serve decisions to an EHR, by CDS Hooks.",
    epilog=examples(
        "precaution serve",
        "precaution serve --config service.toml",
        "precaution serve --config service.toml --workers 4",
        "precaution serve --port 9000 --today 2025-03-01",
    ),
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Settings (TOML), as above.",
)
@click.option("--host", metavar="HOST", help="The address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="The port to listen on. [default: 8080]")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="Processes.")
@click.option("--label", metavar="NAME|FOLDER", help="A label of this package, or a label's folder.")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="Your site's own choices.")
@click.option("--store-url", metavar="URL", help="What is kept, and where. [default: sqlite:///precaution.sqlite]")
@click.option("--public-url", metavar="URL", help="The base under which clients know the service.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much is logged. [default: info]"
)
@click.option("--today", type=Day(), metavar="DAY", help="For demonstrations: this day in place of the clock's.")
def serve(
    config: str | None,
    host: str | None,
    port: int | None,
    workers: int,
    label: str | None,
    policy: str | None,
    store_url: str | None,
    public_url: str | None,
    log_level: str | None,
    today: date | None,
) -> None:
    """Serve the label's decisions to an EHR, by CDS Hooks 2.0, until interrupted."""
    from pathlib import Path

    try:
        from precaution.service.serving import serve as run
    except ImportError:
        raise UsageError("the service needs more: install it with `pip install '.[service]'` in its folder") from None
    run(
        Path(config) if config else None,
        workers,
        _announce,
        host=host,
        port=port,
        label=label,
        policy=policy,
        store_url=store_url,
        public_url=public_url,
        log_level=log_level,
        today=today.isoformat() if today else None,
    )


def _announce(base: str) -> None:
    """Say where it is, to somebody at a terminal; the log says it to machines."""
    if sys.stderr.isatty():
        click.echo(f"precaution: serving {base}/cds-services, Ctrl-C ends it", err=True)


serve.help = f"{serve.help}\n{_TOGETHER}"
