"""Bulk FHIR of Synthea's own generator: `python benchmarks/synthea.py 100 FOLDER` writes that of 100 patients.

Needs Java and Maven. Maven fetches the generator (Apache 2.0) and what it needs, 200 MB, from Maven Central once, into
a cache outside the project: ~/.cache/precaution-benchmarks, or where PRECAUTION_CACHE points. The same numbers give
the same patients.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "3.3.0"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>precaution</groupId><artifactId>benchmarks</artifactId><version>1</version>
<dependencies><dependency><groupId>org.mitre.synthea</groupId><artifactId>synthea</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>
"""
DAY = "20260101"
"""The last day of the records."""
SETTINGS = {
    "exporter.fhir.export": "true",
    "exporter.fhir.bulk_data": "true",
    "exporter.hospital.fhir.export": "false",
    "exporter.practitioner.fhir.export": "false",
    "exporter.years_of_history": "10",
}


def needed() -> str:
    """Return which program is missing, or nothing."""
    return next((name for name in ("java", "mvn") if not shutil.which(name)), "")


def generator() -> Path:
    """Return the folder of the generator's jar files; fetch them where they are not there yet."""
    cache = Path(os.environ.get("PRECAUTION_CACHE", Path.home() / ".cache" / "precaution-benchmarks"))
    jars = cache / f"synthea-{VERSION}"
    if not jars.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as half:
            Path(half, "pom.xml").write_text(POM, encoding="utf-8")
            fetch = ["mvn", "--quiet", "--batch-mode", PLUGIN, "-DincludeScope=runtime"]
            subprocess.run([*fetch, f"-DoutputDirectory={half}/jars"], cwd=half, check=True)  # noqa: S603
            Path(half, "jars").rename(jars)
    return jars


def generated(patients: int, folder: Path) -> Path:
    """Write the NDJSON of `patients` living patients, and return its folder."""
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    numbers = ["-p", str(patients), "-s", "7", "-cs", "7", "-r", DAY, "-e", DAY]
    subprocess.run(  # noqa: S603
        [  # noqa: S607
            "java",
            "-cp",
            f"{generator()}/*",
            "App",
            *numbers,
            *settings,
            f"--exporter.baseDirectory={folder}",
            "Massachusetts",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for other in (folder / "fhir").glob("*.json"):
        other.unlink()
    return folder / "fhir"


if __name__ == "__main__":
    if missing := needed():
        sys.exit(f"{missing} is not here")
    print(generated(int(sys.argv[1]), Path(sys.argv[2])))
