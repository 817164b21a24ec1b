"""What all tests share: where the project and the data beside it are."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from support.effort import THOROUGH
from support.project import PROJECT, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator


settings.register_profile("developer", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "thorough" if THOROUGH else "developer")

HEAVY = ("spark", "compiled", "image", "server", "service", "kills", "slow")
"""Markers of what `make test` leaves out (pyproject.toml says why), the longest first."""
STARTS = {
    "postgres": "server",
    "database": "server",
    "spark": "spark",
    "two_workers": "spark",
    "compiled": "compiled",
}
"""Fixtures that start something which takes long: a test that takes one gets its marker."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they start, say which run in one process (`--dist loadgroup`), and begin with the longest.

    So no process waits at the end for another that has only just begun a long test.
    """
    for item in items:
        for name in STARTS.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(STARTS[name])
        group = shared_with(item)
        if group and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=rank)


def shared_with(item: pytest.Item) -> str:
    """Return which tests run in one process with a test, since what they share is made once for each process.

    Those of Spark share its session, those of a file its fixtures and what it keeps; a long test that shares nothing
    runs anywhere.
    """
    names = getattr(item, "fixturenames", ())
    if "spark" in names:
        return "spark"
    fixtures = item._fixtureinfo.name2fixturedefs.values() if isinstance(item, pytest.Function) else ()
    shares = any(each[-1].scope == "module" for each in fixtures)
    return str(item.path) if shares or rank(item) >= len(HEAVY) else ""


def rank(item: pytest.Item) -> int:
    """Return the place of a test: the longest come first, and those of the whole project before those of a module."""
    ordinary = len(HEAVY) if item.path.parent.name == "whole" else len(HEAVY) + 1
    return min((HEAVY.index(mark.name) for mark in item.iter_markers() if mark.name in HEAVY), default=ordinary)


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the project; a test that needs it is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of the tests' own."""
    from support.postgres_server import server

    with server() as url:
        yield url


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session of Spark with two cores of this machine, for all tests that need no other: starting it takes long."""
    from support.spark_cluster import session_of_tests

    with session_of_tests(tmp_path_factory.mktemp("spark")) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    from support.stores import fresh_url

    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with fresh_url(request.param, tmp_path, server) as url:
        yield url


def pytest_collection_finish() -> None:
    """Take what is loaded by now, which stays to the end, out of what is searched for garbage: a tenth of the time."""
    gc.collect()
    gc.freeze()
