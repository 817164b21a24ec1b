"""`precaution audit`: a group of commands on the audit trail, which may also have a command of its own.

`audit.default` is run where the first argument names none of the group's commands: `precaution audit DIR` then means
what that command takes, and a folder called like a command of the group is written `./verify`.
"""

from __future__ import annotations

from pathlib import Path

import click

from precaution.cli.group import Helpful, precaution
from precaution.cli.options import examples
from precaution.errors import did_you_mean


class WithDefault(Helpful):
    """A group that hands arguments of no command of its own to a default command, if it has one."""

    default: click.Command | None = None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of `args`, or the default one with all of them."""
        if self.default is None or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        if not args[0].startswith("-") and "/" not in args[0] and not Path(args[0]).exists():
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"'{args[0]}' is no command, and no folder of results.{hint}", ctx)
        return self.default.name, self.default, args

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the group's commands, and what it does without one."""
        super().format_commands(ctx, formatter)
        if self.default is not None:
            with formatter.section("Without a command"):
                usage = self.default.make_context(ctx.info_name, [], parent=ctx.parent, resilient_parsing=True)
                formatter.write_text(self.default.get_usage(usage).removeprefix("Usage: "))
                formatter.write_text(self.default.get_short_help_str(100))


@click.group(
    cls=WithDefault,
    short_help="Count how a label is kept to; verify the service's trail.",
    epilog=examples(
        "precaution audit results/ --strata age,year",
        "precaution audit verify --store sqlite:///store.sqlite --head head.json",
        "precaution audit head --store sqlite:///store.sqlite > head.json",
        "precaution audit export --store sqlite:///store.sqlite > events.ndjson",
    ),
    context_settings={"ignore_unknown_options": True},
)
def audit() -> None:
    """Count how a label is kept to in a cohort, or verify and export the service's own audit trail.

    `precaution audit RESULTS` counts the label's measures over what `precaution cohort --audit` wrote. The commands
    below are for the trail that `precaution serve` keeps: who was given which decision on whom.
    """


precaution.add_command(audit)
