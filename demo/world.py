"""The processes of the demonstration: free ports, a data folder of its own, sandbox and gateway started, watched and ended cleanly."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]


def read_json_with_comments(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return json.loads(re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda found: found.group(1) or "", text))


def free_port(wanted, taken):
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            port = probe.getsockname()[1]
            if port not in taken:
                taken.add(port)
                return port
    raise RuntimeError("no free port")


class World:
    def __init__(self, program, say):
        self.program = str(pathlib.Path(program).resolve())
        self.say = say
        self.sandbox = self.gateway = None
        self.folder = self.claim_folder()
        self.write_config()

    def claim_folder(self):
        """<build>/demo-data, emptied; another one while a demonstration that still runs holds it."""
        build = pathlib.Path(os.environ.get("TOUCHGATE_BUILD_DIR", ROOT / "build")).resolve()
        build.mkdir(parents=True, exist_ok=True)
        for number in range(1, 100):
            folder = build / ("demo-data" if number == 1 else f"demo-data-{number}")
            self.lock = open(str(folder) + ".lock", "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.lock.close()
                continue
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "config").mkdir(parents=True)
            return folder
        raise RuntimeError("no free folder for the demonstration's data")

    def write_config(self):
        config = read_json_with_comments(ROOT / "config" / "demo.json")
        taken, moved = set(), []

        def port_for(wanted):
            port = free_port(wanted, taken)
            if port != wanted:
                moved.append(f"{wanted} → {port}")
            return port

        http, control, smsc, aliyun, pbx = (port_for(port) for port in (8080, 8090, 2775, 8091, 8092))
        if moved:
            self.say("ports that are taken, and those used instead: ", "端口已被占用，改用：", ", ".join(moved))
        config["http"]["listen"] = f"127.0.0.1:{http}"
        config["data_dir"] = str(self.folder / "data")
        for key in ("policy", "templates", "calendars", "agents_file"):
            config[key] = str(ROOT / config[key])
        config["$schema"] = str(ROOT / "config" / "config.schema.json")
        config["accounts"]["sms-main"]["port"] = smsc
        config["accounts"]["sms-aliyun"]["base_url"] = f"http://127.0.0.1:{aliyun}"
        config["accounts"]["pbx-main"]["base_url"] = f"http://127.0.0.1:{pbx}"
        sandbox = config["sandbox"]
        sandbox["listen"] = f"127.0.0.1:{control}"
        for name, port in (("smsc", smsc), ("aliyun", aliyun), ("pbx", pbx)):
            sandbox[name]["listen"] = f"127.0.0.1:{port}"
        for key in ("receipt_url", "mo_url"):
            sandbox["aliyun"][key] = sandbox["aliyun"][key].replace(":8080/", f":{http}/")
        self.config = self.folder / "config" / "demo.json"
        self.config.write_text(json.dumps(config, ensure_ascii=False, indent=2), encoding="utf-8")
        self.key = config["api_keys"][0]["key"]
        self.url, self.sandbox_url = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{control}"

    def start(self):
        self.sandbox = self.launch("sandbox")
        self.gateway = self.launch("serve")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for name, process in (("sandbox", self.sandbox), ("serve", self.gateway)):
                if process.poll() is not None:
                    raise RuntimeError(f"touchgate {name} ended: " + (self.folder / f"{name}.log").read_text(errors="replace")[-2000:])
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=2).close()
                accounts = self.get("/v1/accounts")["items"]
                if all(account["health"] == "up" for account in accounts):
                    return
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the gateway did not become ready in 30 s; see {self.folder}/serve.log")

    def launch(self, command):
        with open(self.folder / f"{command}.log", "wb") as log:
            # A session of its own: Ctrl-C reaches this script only, which then ends both in order.
            return subprocess.Popen([self.program, command, "--config", str(self.config)], stdout=log, stderr=log, start_new_session=True)

    def stop(self):
        """SIGTERM drains the gateway; then the sandbox ends. True if both ended with 0."""
        well = True
        for process in (self.gateway, self.sandbox):
            if process is None:
                continue
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                well = process.wait(40) == 0 and well
            except subprocess.TimeoutExpired:
                process.kill()
                well = False
        return well

    def command(self, *words):
        environment = {**os.environ, "TOUCHGATE_KEY": self.key}
        return subprocess.run([self.program, *words], capture_output=True, text=True, env=environment, cwd=self.folder, check=False)

    def request(self, url, body=None, content_type="application/json"):
        made = urllib.request.Request(url, data=body, headers={"Authorization": "Bearer " + self.key, "Content-Type": content_type})
        try:
            with urllib.request.urlopen(made, timeout=120) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{url}: {error.code} {error.read().decode(errors='replace')}") from None

    def get(self, path):
        return json.loads(self.request(self.url + path))

    def post(self, path, document):
        return json.loads(self.request(self.url + path, json.dumps(document).encode()))

    def bulk(self, path, documents):
        body = "\n".join(json.dumps(document, ensure_ascii=False) for document in documents).encode()
        return [json.loads(line) for line in self.request(self.url + path, body, "application/x-ndjson").split("\n") if line]

    def events(self, types):
        """The whole feed from the first event on, in the order of the log."""
        after = 0
        while True:
            page = self.get(f"/v1/events?after={after}&types={types}&limit=1000")["items"]
            if not page:
                return
            yield from page
            after = page[-1]["sequence"]

    def sandbox_messages(self):
        after = 0
        while True:
            page = json.loads(self.request(f"{self.sandbox_url}/sandbox/messages?after={after}&limit=1000"))["items"]
            if not page:
                return
            yield from page
            after = page[-1]["n"]

    def sandbox_stats(self):
        return json.loads(self.request(self.sandbox_url + "/sandbox/stats"))
