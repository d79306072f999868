"""Chromium from Debian's package, headless, over the DevTools protocol: the web client as a person meets it.

One browser holds one page. It is driven by the protocol itself over the descriptors that `--remote-debugging-pipe` has,
so nothing but the browser is needed. Fonts for Chinese come from Debian's package as well.
"""

from __future__ import annotations

__all__ = ["Browser", "BrowserFault", "open_browser"]

import asyncio
import base64
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.debian import find_program, require, run_environment

_PACKAGES = ("chromium", "fonts-noto-cjk")
_PATIENCE = 30.0
_MOST = 64 * 1024 * 1024  # octets of one answer: a screenshot
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "Backspace": (8, ""), "ArrowDown": (40, "")}

_WAIT = """
new Promise((resolve, reject) => {
  const look = () => {
    let found;
    try { found = (() => (%s))(); } catch (error) { return reject(String(error)); }
    if (found) resolve(found === true ? true : String(found)); else requestAnimationFrame(look);
  };
  look();
})
"""

# The protocol is where the browser expects it: it reads at descriptor 3 and writes at 4; here both are one socket.
_AT_THREE_AND_FOUR = """
import fcntl, os, sys
high = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD, 10)
os.dup2(high, 3)
os.dup2(high, 4)
os.execv(sys.argv[2], sys.argv[2:])
"""

_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>
"""


class BrowserFault(AssertionError):
    """What the page or the browser could not do."""


@asynccontextmanager
async def open_browser(home: Path, *arguments: str) -> AsyncIterator[Browser]:
    """Start a browser whose profile lies in `home`; it ends with the context."""
    root = require(*_PACKAGES)
    home.mkdir(parents=True, exist_ok=True)
    fonts = home / "fonts.conf"
    fonts.write_text(_FONTS % (root / "usr/share/fonts", home / "fontcache"))
    environment = run_environment(root) | {"FONTCONFIG_FILE": str(fonts), "HOME": str(home)}
    real = root / "usr/lib/chromium/chromium"
    program = real if real.is_file() else find_program(root, "chromium")
    ours, theirs = socket.socketpair()
    command = [
        *(sys.executable, "-c", _AT_THREE_AND_FOUR, str(theirs.fileno()), str(program)),
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
        *("--font-render-hinting=none", f"--user-data-dir={home / 'profile'}", *arguments, "about:blank"),
    ]
    with theirs:
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    reader, writer = await asyncio.open_connection(sock=ours, limit=_MOST)
    browser = Browser(writer)
    try:
        await browser.begin(reader)
        yield browser
    finally:
        await browser.end()
        process.kill()
        await asyncio.to_thread(process.wait)


class Browser:
    """One page of a headless browser."""

    def __init__(self, to_browser: asyncio.StreamWriter) -> None:
        self._to_browser = to_browser
        self._answers: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._last = 0
        self._session: str | None = None
        self._reading: asyncio.Task[None] | None = None
        self.complaints: list[str] = []
        """What the console, the policy and exceptions said."""
        self._loaded = asyncio.Event()
        self.requested: list[str] = []
        """The address of each request that the page made."""

    async def begin(self, reader: asyncio.StreamReader) -> None:
        """Attach to the page."""
        self._reading = asyncio.create_task(self._read(reader))
        targets = (await self.call("Target.getTargets"))["targetInfos"]
        assert isinstance(targets, list)
        page = next(target for target in targets if target["type"] == "page")
        attached = await self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = str(attached["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")

    async def end(self) -> None:
        """Let go of the browser."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        self._to_browser.transport.abort()

    async def call(self, method: str, **parameters: object) -> dict[str, object]:
        """Call a method of the protocol and return its result."""
        self._last += 1
        answer: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        self._answers[self._last] = answer
        said: dict[str, object] = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            said["sessionId"] = self._session
        self._to_browser.write(json.dumps(said).encode() + b"\0")
        async with asyncio.timeout(_PATIENCE):
            return await answer

    async def show(self, width: int, height: int, *, dark: bool = False, scale: int = 1, phone: bool = False) -> None:
        """Set the size of the screen and what the system likes."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def go(self, address: str) -> None:
        """Open an address."""
        await self.call("Page.navigate", url=address)

    async def load(self, address: str) -> None:
        """Open an address and wait for its load event: a page that may run no scripts cannot be asked for more."""
        self._loaded.clear()
        await self.go(address)
        async with asyncio.timeout(_PATIENCE):
            await self._loaded.wait()

    async def width_of(self, selector: str) -> float:
        """Return how wide an element is, in pixels; also of a page that may run no scripts."""
        root = (await self.call("DOM.getDocument"))["root"]
        assert isinstance(root, dict)
        found = await self.call("DOM.querySelector", nodeId=root["nodeId"], selector=selector)
        model = (await self.call("DOM.getBoxModel", nodeId=found["nodeId"]))["model"]
        assert isinstance(model, dict)
        return float(model["width"])

    async def evaluate(self, script: str) -> object:
        """Return what an expression of JavaScript gives; a promise is waited for."""
        done = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        result = done["result"]
        assert isinstance(result, dict)
        if "exceptionDetails" in done:
            raise BrowserFault(f"{script[:200]}: {result.get('value') or result.get('description')}")
        return result.get("value")

    async def wait_for(self, condition: str) -> object:
        """Wait until an expression is true; each frame it is asked again."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    try:
                        return await self.evaluate(_WAIT % condition)
                    except BrowserFault as fault:  # The page was left meanwhile: ask the next one.
                        if "navigat" not in str(fault) and "context" not in str(fault):
                            raise
        except TimeoutError:
            shown = await self.evaluate("document.body.innerText.slice(0, 600)")
            raise BrowserFault(f"never: {condition}\n{shown}\n{self.complaints}") from None

    async def click(self, selector: str) -> None:
        """Click in the middle of an element, once it is there."""
        quoted = json.dumps(selector)
        await self.wait_for(f"document.querySelector({quoted})")
        box = await self.evaluate(
            f"(() => {{ const e = document.querySelector({quoted}); e.scrollIntoView({{block: 'nearest'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        assert isinstance(box, list)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            pressed = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
            await self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], **pressed)

    async def type(self, text: str) -> None:
        """Type text where the cursor is, as an input method does."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press a key: one character, or a key by its name."""
        code, text = _KEYS.get(key) or (ord(key.upper()), key)
        common = {"key": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def screenshot(self, path: Path) -> None:
        """Write what is seen."""
        shot = await self.call("Page.captureScreenshot", format=path.suffix.removeprefix("."))
        path.write_bytes(base64.b64decode(str(shot["data"])))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            said = json.loads((await reader.readuntil(b"\0"))[:-1])
            if "id" not in said:
                self._note(said["method"], said.get("params", {}))
                continue
            answer = self._answers.pop(said["id"], None)
            if answer is None or answer.done():
                continue
            if "error" in said:
                answer.set_exception(BrowserFault(said["error"]["message"]))
            else:
                answer.set_result(said["result"])

    def _note(self, method: str, told: Mapping[str, object]) -> None:
        match method:
            case "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(json.dumps(told)[:600])
            case "Runtime.consoleAPICalled" if told.get("type") in {"error", "warning"}:
                self.complaints.append(json.dumps(told.get("args"))[:600])
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                request = told.get("request")
                if isinstance(request, dict):
                    self.requested.append(str(request.get("url")))
