"""A real browser for tests: Debian's Chromium, driven by Playwright. Skips where there is none."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"
)
WITHIN_MS = 20_000
expect.set_options(timeout=WITHIN_MS)


@asynccontextmanager
async def opened(url: str, *, language: str = "zh") -> AsyncIterator[Page]:
    """A page in a fresh browser; an error in a script or a refused source fails the test."""
    faults: list[str] = []
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = await browser.new_context(locale=language)
        page = await context.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on(
            "console",
            lambda said: faults.append(said.text) if "Security Policy" in said.text else None,
        )
        await page.goto(url)
        try:
            yield page
        finally:
            await browser.close()
    assert faults == []
