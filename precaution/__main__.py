"""Lets `python -m precaution` do what the command `precaution` does."""

from precaution.cli import main

if __name__ == "__main__":
    main()
