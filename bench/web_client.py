"""`python -m bench.web_client`: the web client in Chromium over a mailbox of 100,000 messages, and Lighthouse.

`hongyan demo` without its text index gets messages of 1 KB in one inbox. Then Chromium (Debian's, headless, 1280×800)
logs in and opens the page again and again. Told are:

* from the press of the login's button until the first rows are painted, with the check of the password in it, and
  the same from the moment when the server let the person in;
* from the start of a navigation to the inbox, logged in, until the first rows are painted;
* scrolling through 10,000 rows so that each is shown, while the browser has a quarter of the processor: tasks that
  took more than 50 ms (by the browser's own report of long tasks), and the slowest;
* what Lighthouse says of the login and of the inbox, as it judges desktops and as it judges phones. Its packages are
  fetched from npm as `bench/npm/package-lock.json` has them, into `.cache`.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.clients import Unexpected
from bench.corpus import Corpus
from bench.demo import Demo
from bench.meters import make_meter
from bench.server import SECRET, Server
from bench.sizes import fill
from tests.support.chromium import Browser, open_browser
from tests.support.node import NODE, fetch_packages

_OCTETS = 1024
_ROWS = 10_000
_THROTTLE = 4
_STEP = 5  # rows in a frame: fewer than are within sight, so that each of them is shown
_SCREEN = (1280, 800)
_PACKAGES = Path(__file__).parent / "npm"
_SECONDS = 240.0  # for one judgement of Lighthouse
_CATEGORIES = ("performance", "accessibility", "best-practices")

_PAINTED = "document.querySelectorAll('.row .row-subject').length >= 5"

_NOTE_THE_PRESS = """
addEventListener('submit', () => { window.pressed = performance.now(); }, {capture: true})
"""
_AFTER_THE_PAINT = """
new Promise(done => {
  const look = () => {
    if (!(%s)) return requestAnimationFrame(look);
    requestAnimationFrame(() => {
      const letIn = performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/api/v1/session'));
      done([performance.now(), window.pressed ?? 0, letIn.at(-1)?.responseEnd ?? 0]);
    });
  };
  look();
})
"""
_SCROLL = """
(() => {
  const tasks = [];
  const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(({duration}) => duration)));
  observer.observe({type: 'longtask', buffered: false});
  const list = document.getElementById('list');
  const row = Number.parseFloat(getComputedStyle(list).getPropertyValue('--row'));
  const begun = performance.now();
  let at = 0, frames = 0;
  const step = () => {
    at += %d; frames += 1;
    list.scrollTop = at * row;
    if (at < %d) return requestAnimationFrame(step);
    const seconds = (performance.now() - begun) / 1000;
    setTimeout(() => { window.scrolled = {tasks, frames, seconds}; }, 500);
  };
  requestAnimationFrame(step);
})()
"""
_SETTLED = "!document.querySelector('.row.is-waiting')"


def main(arguments: Sequence[str]) -> int:
    """Measure, print a list of figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.web_client", description="The web client in Chromium.")
    parser.add_argument("--messages", type=int, default=100_000, help="in the inbox")
    parser.add_argument("--repeat", type=int, default=7, help="logins and openings; the one in the middle counts")
    parser.add_argument("--without-lighthouse", action="store_true", help="only what the page does by itself")
    options = parser.parse_args(arguments)
    if options.messages < _ROWS or options.repeat < 1:
        parser.error(f"at least {_ROWS} messages, and one login")
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-", dir="/var/tmp") as folder:
        asyncio.run(_measure(Path(folder), options.messages, options.repeat, not options.without_lighthouse))
    return 0


async def _measure(folder: Path, messages: int, repeat: int, with_lighthouse: bool) -> None:
    meter = make_meter("web-client")
    demo = Demo(folder, meter, without={"index"})
    server = Server("hongyan", demo, meter)
    server.start()
    try:
        await fill(server, Corpus().templates(_OCTETS), messages)
        inbox = f"{demo.web}/mail/inbox"
        async with open_browser(folder / "browser", "--remote-debugging-port=0") as browser:
            await browser.show(*_SCREEN)
            if with_lighthouse:
                await _judge(folder / "browser", "login", inbox)
            await _tell_logins(browser, inbox, server.user(0), repeat)
            await _tell_openings(browser, inbox, repeat)
            await _tell_scrolling(browser, inbox)
            if with_lighthouse:
                await browser.go("about:blank")
                await _judge(folder / "browser", "inbox", inbox)
    finally:
        server.stop()


async def _tell_logins(browser: Browser, inbox: str, user: str, repeat: int) -> None:
    whole, after = [], []
    for _ in range(repeat):
        await browser.call("Network.clearBrowserCookies")
        await browser.load(inbox)
        await browser.click("input[name=username]")
        await browser.evaluate("document.activeElement.select()")  # the name of before is there again
        await browser.type(user)
        await browser.click("input[name=password]")
        await browser.type(SECRET)
        await browser.evaluate(_NOTE_THE_PRESS)
        await browser.click("button[type=submit]")
        await browser.wait_for(_PAINTED)
        painted, pressed, let_in = _numbers(await browser.evaluate(_AFTER_THE_PAINT % _PAINTED))
        whole.append(painted - pressed)
        after.append(painted - let_in)
    _tell("the first list after the press of Log in", whole)
    _tell("the first list after the login's answer", after)


async def _tell_openings(browser: Browser, inbox: str, repeat: int) -> None:
    taken = []
    for _ in range(repeat):
        await browser.load(inbox)
        painted, _, _ = _numbers(await browser.evaluate(_AFTER_THE_PAINT % _PAINTED))
        taken.append(painted)
    _tell("the first list after the start of the navigation", taken)


async def _tell_scrolling(browser: Browser, inbox: str) -> None:
    await browser.load(inbox)
    await browser.wait_for(_PAINTED)
    await browser.call("Emulation.setCPUThrottlingRate", rate=_THROTTLE)
    await browser.evaluate(_SCROLL % (_STEP, _ROWS))
    while (scrolled := await browser.evaluate("window.scrolled")) is None:
        await asyncio.sleep(1)
    await browser.wait_for(_SETTLED)
    await browser.call("Emulation.setCPUThrottlingRate", rate=1)
    assert isinstance(scrolled, dict)
    tasks = scrolled["tasks"]
    assert isinstance(tasks, list)
    print(
        f"scrolling {_ROWS:,} rows, {_THROTTLE} times throttled: {len(tasks)} tasks over 50 ms"
        f" (the longest {max(tasks, default=0):.0f} ms), {scrolled['frames']} frames in {scrolled['seconds']:.1f} s",
        flush=True,
    )


async def _judge(profile: Path, what: str, address: str) -> None:
    for preset in ("desktop", "phone"):
        scores = await asyncio.to_thread(_lighthouse, profile, address, preset)
        print(f"Lighthouse, {what}, {preset}: " + ", ".join(f"{name} {score:.0f}" for name, score in scores.items()))


def _lighthouse(profile: Path, address: str, preset: str) -> Mapping[str, float]:
    """Let Lighthouse judge a page in the browser that runs, with the cookies that this has."""
    packages = fetch_packages(_PACKAGES)
    port = (profile / "profile" / "DevToolsActivePort").read_text().splitlines()[0]
    program = packages / "node_modules" / "lighthouse" / "cli" / "index.js"
    command = [str(NODE), str(program), address, f"--port={port}"]
    command += ["--output=json", "--quiet", "--disable-storage-reset", f"--only-categories={','.join(_CATEGORIES)}"]
    command += ["--preset=desktop"] if preset == "desktop" else []
    environment = {"HOME": str(profile), "PATH": os.defpath}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise Unexpected(f"Lighthouse ended with {done.returncode}: {done.stderr[-600:]}")
    categories = json.loads(done.stdout)["categories"]
    return {name: 100 * categories[name]["score"] for name in _CATEGORIES}


def _tell(what: str, taken: Sequence[float]) -> None:
    print(f"{what}: {statistics.median(taken):.0f} ms ({min(taken):.0f}–{max(taken):.0f})", flush=True)


def _numbers(told: object) -> tuple[float, ...]:
    assert isinstance(told, list)
    return tuple(map(float, told))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
