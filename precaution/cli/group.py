"""The command `precaution` itself: the commands it has, in groups, and what it says of a mistyped one."""

from __future__ import annotations

import click

from precaution import __version__
from precaution.cli.options import examples
from precaution.errors import EXIT_CODES, did_you_mean

SECTIONS = {
    "One patient": ("assess", "timeline", "read", "letters"),
    "Many patients": ("cohort", "worklist", "clinic", "export", "audit", "report", "sql", "demo-cohort"),
    "Service": ("serve", "hook", "store"),
    "Knowledge": ("labels", "label", "explain", "check", "review", "booklet", "questionnaire"),
    "Shell": ("completion",),
}
"""The commands as `precaution --help` lists them; each stands in one section."""


class Helpful(click.Group):
    """A group of commands that says which command was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of `args`; raises UsageError with the nearest name where there is none."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"'{args[0]}' is no command.{did_you_mean(args[0], self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


class InSections(Helpful):
    """The group whose help lists its commands by SECTIONS, and the exit codes of all of them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, a line each, and what the exit codes mean."""
        del ctx
        widest = max(map(len, self.commands)) + 2
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest - 2), self._line(name, formatter)) for name in names])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and what the exit codes of all commands mean."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), means) for code, means in EXIT_CODES.items()])

    def _line(self, name: str, formatter: click.HelpFormatter) -> str:
        return self.commands[name].get_short_help_str(formatter.width)


@click.group(
    cls=InSections,
    epilog=examples("precaution assess patient.json --today 2025-03-01", "precaution explain low-neutrophils"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="precaution", message="%(prog)s %(version)s")
def precaution() -> None:
    """Turn a drug label's warnings and precautions into decisions on a patient's record.

    It supports a clinician's decision and makes none. It is not a certified medical device. `precaution COMMAND --help`
    says what a command takes.
    """
