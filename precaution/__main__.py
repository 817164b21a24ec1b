"""What the command `precaution` and `python -m precaution` start; an interruption while modules load says one line."""

import sys

_INTERRUPTED = 130
"""As `errors.INTERRUPTED`, which may not be loaded yet."""


def main() -> None:
    """Run the command line and leave with an exit code."""
    try:
        from precaution.cli import main as run  # noqa: PLC0415 - loading it may be interrupted

        run()
    except KeyboardInterrupt:
        sys.stderr.write("precaution: interrupted\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
