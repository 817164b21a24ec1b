"""Write the pictures in docs/pictures/ anew: `make .venv/clinic-demo` once, then this, with Chromium and playwright.

They show made-up patients of `precaution demo-cohort` only.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
DEMO = PROJECT / ".venv" / "clinic-demo" / "fhir"
OUT = PROJECT / "docs" / "pictures"
COMMAND = ("clinic", str(DEMO), "--today", "2025-03-01", "--no-browser", "--port", "0")


def main() -> None:
    if not DEMO.is_dir():
        sys.exit("run `make .venv/clinic-demo` first")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "precaution", *COMMAND], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 680})
            page.goto(address)
            draw(page)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def draw(page: Page) -> None:
    page.goto(page.url + "?who=on-drug&sort=overdue")
    page.screenshot(path=OUT / "clinic-list.png")
    page.locator("table.list a").first.click()
    page.wait_for_load_state()
    page.set_viewport_size({"width": 1100, "height": 760})
    page.screenshot(path=OUT / "clinic-patient.png")


if __name__ == "__main__":
    main()
