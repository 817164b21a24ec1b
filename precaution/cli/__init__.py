"""The command line: `precaution assess patient.json --today 2025-03-01`.

Answers go to stdout, messages to stderr; `errors.EXIT_CODES` says what each exit code means.
Nothing but click is imported until a command runs, so that `--help` and completion are quick.
"""

from __future__ import annotations

import os
import sys

import click

from precaution.cli import (  # noqa: F401  # they add their commands to the group
    audit,
    clinic,
    cohort,
    demo,
    hook,
    labels,
    letters,
    patients,
    review,
    revision,
    service,
    sql,
    store,
)
from precaution.cli.group import precaution
from precaution.errors import DONE, INTERRUPTED, MISTAKE, PrecautionError


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with an exit code; no error shows a traceback or a patient's data."""
    sys.exit(run(arguments, own_process=True))


def run(arguments: list[str] | None = None, *, own_process: bool = False) -> int:
    """Run the command line and return its exit code. `own_process`: whether the process is there for nothing else."""
    try:
        left_with = precaution.main(arguments, prog_name="precaution", standalone_mode=False, obj=own_process)
    except PrecautionError as error:
        return _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "precaution"
        return _complain(f"{error.format_message()}\nhint: `{command} --help` shows what it takes", error.exit_code)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        return _complain("\nhint: ".join(filter(None, ("interrupted", str(error)))), INTERRUPTED)
    except Exception as error:  # the last resort: a traceback could show a patient's data
        if os.environ.get("PRECAUTION_TRACEBACK"):
            raise
        return _complain(_mistake(error), MISTAKE)
    return left_with if isinstance(left_with, int) else DONE


def _complain(message: str, exit_code: int) -> int:
    click.echo(f"precaution: {message}", err=True)
    return exit_code


def _mistake(error: Exception) -> str:
    """Return where this program went wrong, without the error's own words: they may hold a patient's data."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")  # noqa: PTH119
        trace = trace.tb_next
    return (
        f"a mistake in this program ({type(error).__name__} at {frames[-1]}); please report it\n"
        "hint: PRECAUTION_TRACEBACK=1 shows the whole traceback, which may hold a patient's data"
    )
