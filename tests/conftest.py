"""What all tests share: where the project and the data beside it are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from support.project import PROJECT, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator


settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")


LONG = (
    "test_sql_agreement",
    "test_spark_cluster",
    "test_spark",
    "test_service_hapi",
    "test_image",
    "test_compiled",
    "test_store_faults",
    "test_cohort_robust",
    "test_omop_cases",
    "test_fuzzing",
)
"""Files of which a test may take a minute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: at the end no process waits for another that has only just begun a long test."""
    items.sort(key=lambda item: item.path.stem not in LONG)


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


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    from support.stores import fresh_url

    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with fresh_url(request.param, tmp_path, server) as url:
        yield url
