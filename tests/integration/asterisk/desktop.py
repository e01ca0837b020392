"""Agents at the console's page in real browsers (see browser.mjs), and what keeps them from running here."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading

from basics import PATIENCE, wait_until

HERE = pathlib.Path(__file__).resolve().parent
CONSOLE = HERE.parents[2] / "gateway" / "console"


def why_not(program):
    """Why no browser can be tried here; empty when one can. `program`: touchgate, which serves the pages beside it."""
    if not shutil.which("node"):
        return "node is not installed"
    if not any(path and os.path.exists(path) for path in (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")):
        return "there is no Chromium"
    if not (CONSOLE / "node_modules" / "playwright-core").is_dir():
        return "the console's npm packages are not installed"
    if not (pathlib.Path(program).parent / "console" / "index.html").exists():
        return "the console is not built"
    return ""


class Browsers:
    """The process that drives them."""

    def __init__(self):
        self.process = subprocess.Popen(["node", str(HERE / "browser.mjs"), str(CONSOLE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answers, self.next_id = queue.Queue(), 0
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with self.process.stdout:
            for line in self.process.stdout:
                self.answers.put(json.loads(line))

    def do(self, page, act, **more):
        self.next_id += 1
        self.process.stdin.write(json.dumps({"id": self.next_id, "page": page, "do": act, **more}) + "\n")
        self.process.stdin.flush()
        answer = self.answers.get(timeout=60 * PATIENCE)
        assert answer["id"] == self.next_id, answer
        if "error" in answer:
            raise AssertionError(f"{page} {act} {more}: {answer['error']}")
        return answer["value"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)


class Desktop:
    """One agent's page, in the words of a person in front of it."""

    def __init__(self, browsers, world, agent):
        self.browsers, self.agent = browsers, agent
        self.do("open", url=world.url, token=world.agent_token(agent))
        self.sees("Phone ready", ".phone-bar")

    def do(self, act, **more):
        return self.browsers.do(self.agent, act, **more)

    def press(self, name, within=None):
        self.do("click", what={"role": "button", "name": name, "within": within})

    def text(self, css):
        return self.do("text", css=css) or ""

    def sees(self, text, css, seconds=20):
        try:
            wait_until(text, lambda: text in self.text(css), seconds)
        except AssertionError:
            raise AssertionError(f"{self.agent} waited in vain for {text!r} in {css}; there is {self.text(css)!r}; the page: {self.text('body')[:1500]!r}") from None

    def ready(self):
        self.press("Ready")
        wait_until(f"{self.agent} is ready", lambda: "Not ready" not in self.text("[data-testid=presence]"))

    def accept(self):
        self.press("Accept", ".offer")
        self.talks()

    def talks(self):
        self.sees("Connected", "[data-testid=call-state]")
        self.hears()

    def sound(self):
        return self.do("sound")

    def hears(self, seconds=20):
        """Sound goes out and comes in, on the connection that is open."""
        first = wait_until(f"a connection of {self.agent}", lambda: (lambda now: now if now["open"] else None)(self.sound()), seconds)
        last = {}

        def grows():
            last.update(self.sound())
            return last["sent"] > first["sent"] + 3_000 and last["received"] > first["received"] + 3_000

        try:
            wait_until("sound", grows, seconds)
        except AssertionError:
            raise AssertionError(f"{self.agent} has no sound in both directions: first {first}, last {last}") from None
        return last

    def hand_over(self, to, how):
        self.press("Transfer …")
        self.do("click", what={"role": "radio", "name": "Agent"})
        wait_until("the agents are listed", lambda: to in self.text("dialog select, [role=dialog] select"))
        self.do("choose", what={"css": "dialog select, [role=dialog] select"}, value=to)
        self.press(how)

    def wrap_up(self, outcome, note=""):
        self.do("click", what={"role": "radio", "name": outcome, "within": ".wrap-up"})
        self.do("fill", what={"label": "Note", "within": ".wrap-up"}, text=note)
        self.press("Done", ".wrap-up")
        wait_until("the wrap-up is over", lambda: not self.text(".wrap-up"))
