"""The two passes of a cohort on Spark: on this machine's cores, or on those of a cluster.

    pieces ── mapInArrow ──> lines (Parquet) ── shuffle, sort by person ── mapInArrow ──> tables

Spark says which machine does what, and does it again where a machine is lost; what is done to a line and to a patient
is the code of one machine (`precaution.cohort.sort.lines`, `precaution.cohort.deciding`). Source and results are on
paths that every machine sees; the package and the label are sent along.

A patient's lines come one after the other out of a sorted shuffle, and not as one group (`applyInArrow`): so only one
patient's are in memory, and a task knows its partition, whose tables it writes as one file each.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # noqa: TC004 - an extra, and this module is loaded without it

PARTITIONS = "spark.sql.shuffle.partitions"
SIZE = 4 * 1024 * 1024
"""Bytes of the source for each partition, while there are few."""
FEW, LARGE, MOST = 64, 32 * 1024 * 1024, 4096


class Spark(NamedTuple):
    """Where a run on Spark is done."""

    master: str = "local[*]"
    """As Spark names it: `local[2]` for two cores of this machine, `spark://host:port` for a cluster."""
    conf: Mapping[str, str] = MappingProxyType({})
    """Settings of Spark, by name."""
    session: SparkSession | None = None
    """A session that is there already; `master` and `conf` are then its own, and it is left running."""

    def partitions(self, size: int) -> int:
        """Return how many partitions a source of `size` bytes is cut into: the same wherever it is done.

        Raises UsageError where the settings give a number that is none.
        """
        given = self.conf.get(PARTITIONS)
        if given is not None:
            if not given.isdecimal() or not 0 < int(given) < 10_000:
                raise UsageError(f"{PARTITIONS} takes a number from 1 to 9999")
            return int(given)
        return max(1, min(FEW, -(-size // SIZE)), min(MOST, -(-size // LARGE)))
