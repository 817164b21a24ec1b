"""What all tests share: where the project and the data beside it are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"

settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")


def needs(there: object, what: str) -> None:
    """Skip the test where something that a user's machine need not have is not there; fail in continuous integration,
    which installs it: a test that is never run proves nothing."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is not here")


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the project; a test that needs it is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED
