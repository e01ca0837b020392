"""Starts a sandbox and a gateway on free ports in a folder of their own, and talks to them. Standard library only."""

import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TOUCHGATE", str(ROOT / "build" / "touchgate"))
# How many times longer than usual everything may take: slow machines, programs built with a sanitizer.
PATIENCE = float(os.environ.get("TOUCHGATE_TEST_PATIENCE", "1"))
KEY = "acceptance-key-0123456789"
SCOPES = ["touches", "contacts", "campaigns", "agents", "leads", "reports", "admin", "content", "addresses", "compliance"]

OPEN_POLICY = {"name": "open", "rules": []}


def days_ahead(days):
    """An instant that many days from now: "2026-11-23T02:00:00.000Z"."""
    instant = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=days)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def lines(self):
        return [json.loads(line) for line in self.text.split("\n") if line.strip()]


def request(url, method="GET", body=None, key=KEY, content_type="application/json", headers=None):
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
    made = urllib.request.Request(url, data=data, method=method)
    if key:
        made.add_header("Authorization", "Bearer " + key)
    if data is not None:
        made.add_header("Content-Type", content_type)
    for name, value in (headers or {}).items():
        made.add_header(name, value)
    try:
        with urllib.request.urlopen(made, timeout=30 * PATIENCE) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read().decode())


class World:
    """A sandbox SMSC and clouds, and a gateway in front of them."""

    def __init__(self, policy=None, accounts=None, settings=None, behaviour=None, account=None, templates=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="touchgate-"))
        (self.folder / "config").mkdir()
        (self.folder / "templates").mkdir()
        for name, document in (templates or {}).items():
            (self.folder / "templates" / (name + ".json")).write_text(json.dumps(document, ensure_ascii=False))
        (self.folder / "policy.json").write_text(json.dumps(policy or OPEN_POLICY, ensure_ascii=False))
        self.sandbox_config = {"listen": "127.0.0.1:0", "seed": 7, "smsc": {"listen": "127.0.0.1:0", "users": {"gateway": "secret"}},
                               "aliyun": {"listen": "127.0.0.1:0", "keys": {"id": "aliyun-secret"}},
                               "tencent": {"listen": "127.0.0.1:0", "keys": {"id": "tencent-secret"}}}
        if behaviour:
            self.sandbox_config["behaviour"] = behaviour
        self.settings = settings or {}
        self.accounts = accounts
        self.account = account or {}
        self.gateway = self.sandbox = None
        self.start_sandbox()
        self.write_config()
        self.start()

    def start_sandbox(self):
        path = self.folder / "config" / "sandbox.json"
        path.write_text(json.dumps({"sandbox": self.sandbox_config}))
        self.sandbox = subprocess.Popen([PROGRAM, "sandbox", "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ports = json.loads(self.sandbox.stdout.readline())

    def write_config(self):
        host, port = self.ports["smsc"].rsplit(":", 1)
        accounts = self.accounts if self.accounts is not None else {
            "sms-main": {"adapter": "smpp", "host": host, "port": int(port), "system_id": "gateway", "password": "secret", "source_address": "10690000",
                         "rate": 5000, "window": 32, "tls": False, **self.account}}
        config = {"http": {"listen": "127.0.0.1:0"}, "data_dir": "data", "default_region": "CN", "time_zone": "Asia/Shanghai",
                  "api_keys": [{"name": "acceptance", "key": KEY, "scopes": SCOPES}], "policy": "policy.json", "templates": "templates",
                  "accounts": accounts, "sinks": [], "queues": [], "lead_routing": {}, **self.settings}
        self.config = self.folder / "config" / "gateway.json"
        self.config.write_text(json.dumps(config, ensure_ascii=False))

    def start(self, wait=True):
        with open(self.folder / "gateway.log", "ab") as log:
            self.gateway = subprocess.Popen([PROGRAM, "serve", "--config", str(self.config)], stdout=subprocess.PIPE, stderr=log)
        first = self.gateway.stdout.readline().decode()
        if not first.startswith("listening on "):
            self.gateway.wait(10 * PATIENCE)
            self.gateway.stdout.close()
            raise RuntimeError("the gateway did not start: " + self.log())
        self.url = first.split("listening on ")[1].strip()
        if wait:
            self.wait(lambda: request(self.url + "/readyz", key=None).status == 200, "ready")

    def log(self):
        return (self.folder / "gateway.log").read_text()

    def kill(self):
        self.gateway.send_signal(signal.SIGKILL)
        self.gateway.wait()
        self.gateway.stdout.close()

    def stop(self):
        if self.gateway and self.gateway.poll() is None:
            self.gateway.send_signal(signal.SIGTERM)
            status = self.gateway.wait(40 * PATIENCE)
            self.gateway.stdout.close()
        else:
            status = None
        return status

    def close(self):
        if self.gateway and self.gateway.poll() is None:
            self.gateway.kill()
            self.gateway.wait()
        self.sandbox.terminate()
        self.sandbox.wait(10 * PATIENCE)
        for process in (self.gateway, self.sandbox):
            if process:
                process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    def get(self, path, **more):
        return request(self.url + path, **more)

    def post(self, path, body=None, **more):
        return request(self.url + path, "POST", body if body is not None else {}, **more)

    def put(self, path, body, **more):
        return request(self.url + path, "PUT", body, **more)

    def delete(self, path, **more):
        return request(self.url + path, "DELETE", **more)

    def bulk(self, path, lines):
        return request(self.url + path, "POST", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines), content_type="application/x-ndjson").lines

    def touch(self, phone, **more):
        return self.post("/v1/touches", {"contact": {"phone": phone}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "你好"}, **more})

    def state(self, touch_id):
        return self.get("/v1/touches/" + touch_id).json["state"]

    def wait_state(self, touch_id, *states, seconds=15):
        self.wait(lambda: self.state(touch_id) in states, f"touch in {states}, is {self.state(touch_id)}", seconds)

    def wait(self, condition, what, seconds=15):
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (ConnectionError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        raise AssertionError("waited in vain for: " + what)

    def messages(self):
        found, after = [], 0
        while True:
            page = request(f"http://{self.ports['listen']}/sandbox/messages?after={after}&limit=1000", key=None).json["items"]
            if not page:
                return found
            found += page
            after = page[-1]["n"]

    def behaviour(self, **parts):
        answer = request(f"http://{self.ports['listen']}/sandbox/behaviour", "PUT", parts, key=None)
        assert answer.status == 200, answer.text

    def inbound(self, sender, text):
        answer = request(f"http://{self.ports['listen']}/sandbox/inbound", "POST", {"channel": "sms", "from": sender, "to": "10690000", "text": text}, key=None)
        assert answer.status in (200, 201, 202), answer.text

    def events(self, **query):
        found, after = [], 0
        while True:
            parameters = "&".join(f"{name}={value}" for name, value in query.items())
            page = self.get(f"/v1/events?after={after}&limit=1000&{parameters}").json
            if not page["items"]:
                return found
            found += page["items"]
            after = page["items"][-1]["sequence"]

    def agent_token(self, agent, **body):
        answer = self.post(f"/v1/agents/{agent}/token", body)
        assert answer.status == 201, answer.text
        return answer.json["token"]

    def command(self, *words):
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, cwd=self.folder)
