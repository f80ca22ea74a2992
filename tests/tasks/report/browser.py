"""A browser to look at a page with: headless Chromium, spoken to through two pipes (Chrome DevTools Protocol).

It tells what the page asked the network for and what it complained about, and takes pictures.
"""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    "--remote-debugging-pipe",
)


def find_browser() -> str | None:
    """The path of a Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One page of a running browser; `requests` and `complaints` grow while it is used."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands, self._events, self._pending = os.fdopen(commands, "wb"), events, bytearray()
        self._number, self._session = 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer, keeping the events that come before it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            more = os.read(self._events, 1 << 20)
            assert more, "the browser is gone"
            self._pending += more
        first, _, rest = self._pending.partition(b"\0")
        self._pending = bytearray(rest)
        message: dict[str, Any] = json.loads(first)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, event: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(event))

    def open(
        self, page: Path, width: int, height: int = 900, scheme: str = "light", media: str = "", query: str = ""
    ) -> None:
        """Open a file, with a query behind its address, in a window of that size and wait until it is drawn."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call("Page.navigate", url=f"{page.as_uri()}{query}")
        deadline = time.monotonic() + 30
        while self.evaluate("document.readyState + location.protocol") != "completefile:":
            assert time.monotonic() < deadline, f"{page} did not load"
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, or of its promise; the page needs no script for it."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, to: Path) -> None:
        """Write a PNG of the whole page, also of what is below the window."""
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        to.write_bytes(base64.b64decode(image["data"]))

    def close(self) -> None:
        """Close the pipes; the process is ended by `browser`."""
        os.close(self._events)
        self._commands.close()


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A running browser with a fresh profile, ended on leaving."""
    program = find_browser()
    assert program is not None, "no Chromium"
    (command_in, command_out), (event_in, event_out) = os.pipe(), os.pipe()

    # the browser reads commands from descriptor 3 and writes events to descriptor 4
    shell = f'exec "$0" "$@" 3<&{command_in} 4>&{event_out}'
    flags = [*FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        ["/bin/bash", "-c", shell, program, *flags],
        pass_fds=(command_in, event_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(command_in)
    os.close(event_out)
    page = None
    try:
        page = Browser(command_out, event_in)
        yield page
    finally:
        process.kill()
        process.wait()
        if page is not None:
            page.close()
