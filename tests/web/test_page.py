"""The page in a real browser, before a simulated station that the real daemon runs."""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from gatewayd.store.reads import Reader
from tests.support.waiting import LOOK_EVERY_S, WITHIN_S
from tests.web.browser import needs_chromium, opened
from tests.web.site import CARD, Site, gone

pytestmark = [pytest.mark.e2e, needs_chromium]

EVIL = "<img src=x onerror=alert(1)>"


async def checked(site: Site, count: int) -> None:
    """Wait until so many answers are in the records."""
    async with asyncio.timeout(WITHIN_S):
        while len(await site.records("check")) != count:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(LOOK_EVERY_S)


async def shows(page: Page, state: str, rig: str = "rig-1") -> None:
    await expect(page.locator(f"[data-rig={rig}] .state")).to_have_text(state)


async def answer(page: Page, form: str, **other: str) -> None:
    """Answer every item of a form without a fault, but for `other`, and send it."""
    section = page.locator(f"[data-check={form}]")
    for group in await section.get_by_role("radiogroup").all():
        name = await group.locator("input").first.get_attribute("name")
        assert name is not None
        wanted = other.get(name)
        chosen = f"input[value={wanted}]" if wanted else "input:not(.blocks)"
        await group.locator(chosen).first.check(force=True)
    await section.locator("button.main").click()


async def test_an_operator_fills_a_cylinder_with_the_page_alone(tmp_path: Path) -> None:
    async with Site(tmp_path) as site, opened(f"{site.base}/#/rig/rig-1") as page:
        await shows(page, "已锁定")
        site.rig.bring(site.legal[0])
        await shows(page, "已拒绝")
        await expect(page.locator(".says.deny")).to_have_count(2)
        await page.keyboard.type("NOBODY")  # a wedge types wherever the focus is
        await page.keyboard.press("Enter")
        await expect(page.locator("#said .bad")).to_contain_text("不在人员名册中")
        await page.keyboard.type(CARD)
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-rig=rig-1]")).to_contain_text("李四")
        await shows(page, "已拒绝")
        await answer(page, "precheck")
        await shows(page, "已许可")
        await expect(page.locator("[data-check=precheck] .says.allow")).to_have_text("检查合格")
        await page.click("#language")
        await shows(page, "permitted")
        assert await site.rig.start_fill(20)
        await shows(page, "filling")
        await expect(page.locator("progress")).to_be_visible()
        await expect(page.locator("[data-check=postcheck] .code")).to_have_text(site.legal[0].code)
        await answer(page, "postcheck")
        await expect(page.locator("[data-check=postcheck]")).to_have_count(1)
        await checked(site, 2)  # Leaving the page sooner takes the answer back.
        await page.goto(f"{site.base}/#/records?kind=fill")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody")).to_contain_text("completed")
        await page.locator("tbody td a").first.click()
        await expect(page.locator("main")).to_contain_text("filling allowed")
        with Reader.open(site.config / "gatewayd.db") as store:
            (fill,) = store.newest_records(kind="fill")
        assert '"done":true' in fill.body.replace(" ", "")


async def test_a_refusal_is_explained_and_acknowledged_and_the_page_outlives_the_daemon(
    tmp_path: Path,
) -> None:
    async with Site(tmp_path, asks=False) as site, opened(f"{site.base}/#/rig/rig-1") as page:
        site.rig.bring(site.illegal("OVERDUE"))
        await shows(page, "已拒绝")
        await expect(page.locator(".says.deny")).to_contain_text("已超期")
        await page.get_by_role("button", name="确认拒绝").click()
        await shows(page, "已锁定")
        (seen,) = await site.records("acknowledgement")
        assert seen["cylinder"] == site.illegal("OVERDUE").code
        await page.get_by_role("button", name="锁定工位").click()
        await page.locator("dialog input[name=reason]").fill("查漏")
        await page.locator("dialog input[name=name]").fill("王五")
        await page.locator("dialog button.main").click()
        await expect(page.locator("[data-rig=rig-1]")).to_contain_text("王五")
        lock = (await site.topic("rigs/rig-1/state"))["lock"]
        assert (lock["by"], lock["reason"]) == ("王五", "查漏")

        (site.config / "rigs" / "broken.yaml").write_text("rigs: [", "utf-8")
        site.daemon.send(signal.SIGHUP)
        await expect(page.locator("nav .count")).to_have_text("1")
        await page.locator("nav a[href='#/alarms']").click()
        await page.locator(".alarm button").click()
        await page.locator("dialog input[name=reason]").fill("正在修改")
        await page.locator("dialog button.main").click()
        await expect(page.locator(".alarm .says.allow")).to_have_text("已由 王五 处理正在修改")
        await expect(page.locator("nav .count")).to_have_count(0)
        (site.config / "rigs" / "broken.yaml").unlink()
        await page.goto(f"{site.base}/#/rig/rig-1")

        await site.daemon.kill()
        await expect(page.locator("#banner")).to_contain_text("连接中断")
        await expect(page.locator("main")).to_have_class(re.compile("old"))
        await site.daemon.start()
        await expect(page.locator("#banner")).to_be_hidden()
        await expect(page.locator("[data-rig=rig-1]")).to_contain_text("查漏")


async def test_what_others_wrote_is_text_and_never_a_part_of_the_page(tmp_path: Path) -> None:
    def edit(config: Path) -> None:
        archive = config / "cylinders.csv"
        lines = archive.read_text("utf-8").splitlines()
        columns = lines[0].split(",")
        first = lines[1].split(",")
        first[columns.index("owner")] = first[columns.index("maker")] = EVIL
        archive.write_text("\n".join([lines[0], ",".join(first), *lines[2:]]) + "\n", "utf-8")

    async with (
        Site(tmp_path, asks=False, edit=edit) as site,
        opened(site.base, language="en") as page,
    ):
        evil = site.station.fleet.archive()[0].code
        site.rig.bring(next(one for one in site.station.fleet.legal if one.code == evil))
        await shows(page, "已拒绝")
        await expect(page.locator("[data-rig=rig-1] dl")).to_contain_text(EVIL)
        status, _ = await site.post("/rigs/rig-1/lock", {"reason": EVIL, "name": EVIL})
        assert status == 200
        await expect(page.locator("[data-rig=rig-1]")).to_contain_text(f"{EVIL} ·")
        for place, found in (
            (f"cylinder/{evil}", "main dl"),
            ("records", "tbody"),
            (f"cylinder/{EVIL.replace('/', '%2F')}", "main input"),
        ):
            await page.goto(f"{site.base}/#/{place}")
            await expect(page.locator(found).first).to_be_visible()
        await page.goto(f"{site.base}/#/records")
        await expect(page.locator("tbody")).to_contain_text(EVIL)
        assert await page.locator("img").count() == 0
        await gone(site)
