"""The command `precaution` itself: the commands it has, and what it says of a mistyped one."""

from __future__ import annotations

import click

from precaution import __version__
from precaution.cli.options import examples
from precaution.errors import did_you_mean


class Helpful(click.Group):
    """A group of commands that says which command was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of `args`; raises UsageError with the nearest name where there is none."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"'{args[0]}' is no command.{did_you_mean(args[0], self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Helpful,
    epilog=examples("precaution assess patient.json --today 2025-03-01", "precaution explain low-neutrophils"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="precaution", message="%(prog)s %(version)s")
def precaution() -> None:
    """Turn a drug label's warnings and precautions into decisions on a patient's record.

    It supports a clinician's decision and makes none. It is not a certified medical device.
    """
