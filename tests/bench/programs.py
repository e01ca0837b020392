"""What the measurements start: the stage (the other sides and the load), a gateway, Kannel. Standard library only."""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

KEY = "bench-key-0123456789"


def wait(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError("waited in vain for " + what)


def read(url, key=None):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + key} if key else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def median(values):
    return statistics.median(values) if values else None


def load_average():
    return round(os.getloadavg()[0], 1)


def go_real_time():
    """From here on this process and what it starts go before everything else on the machine (SCHED_RR, needs root): figures of a machine that
    others use at the same time. Priorities among the threads of the measured programs no longer count."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def print_line(**fields):
    print(json.dumps(fields), flush=True)


class Program:
    """Processes in a folder that is removed at the end."""

    def __init__(self):
        self.holder = tempfile.TemporaryDirectory(prefix="touchgate-bench-")
        self.folder = pathlib.Path(self.holder.name)
        self.processes = []

    def start(self, command, **more):
        with open(self.folder / "errors.log", "ab") as log:
            self.processes.append(subprocess.Popen(command, stderr=log, **more))
        return self.processes[-1]

    def cpu_seconds(self):
        """Used so far by all its processes."""
        ticks = 0
        for process in self.processes:
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        self.holder.cleanup()


class Stage(Program):
    """See stage.hpp."""

    def __init__(self, bench):
        super().__init__()
        self.process = self.start([bench, "stage"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


class Gateway(Program):
    POLICY = {"name": "bench", "rules": [{"name": "cap-day", "kind": "cap", "max": 3, "per": "P1D", "by": ["contact"]}, {"name": "dnc", "kind": "suppression", "lists": ["*"]}]}
    HOOK = "/hooks/http/receipts-0123456789"
    APP, TOKEN, AES_KEY = "wxbench", "benchtoken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

    def __init__(self, program, ports):
        super().__init__()
        (self.folder / "config").mkdir()
        (self.folder / "policy.json").write_text(json.dumps(self.POLICY))
        provider = {"adapter": "http_sms", "base_url": f"http://127.0.0.1:{ports['http']}", "window": 256,
                    "request": {"path": "/send", "body": {"to": "{{to}}", "text": "{{text}}"}},
                    "accept": {"ok_when": {"status": [200], "pointer": "/code", "equals": [0]}, "id": "/id", "code": "/code"},
                    "receipt": {"token": self.HOOK.rsplit("/", 1)[1], "id": "/id", "status": "/status", "map": {"DELIVRD": "delivered"}, "answer": {"status": 200, "body": "OK"}}}
        config = {"http": {"listen": "127.0.0.1:0"}, "data_dir": "data", "policy": "policy.json", "log_level": "warn",
                  "api_keys": [{"name": "bench", "key": KEY, "scopes": ["touches", "reports", "admin"]}],
                  "callbacks": {"caller": {"url": f"http://127.0.0.1:{ports['http']}/callback", "secret": "bench-secret-0123456789", "batch": 1000}},
                  "accounts": {"oa": {"adapter": "official_account", "base_url": "http://127.0.0.1:9", "app_id": self.APP, "app_secret": "bench", "token": self.TOKEN,
                                      "encoding_aes_key": self.AES_KEY},
                               "sms": {"adapter": "smpp", "host": "127.0.0.1", "port": ports["smpp"], "system_id": "bench", "password": "bench",
                                       "source_address": "10690000", "window": 500, "tls": False},
                               "http": provider}}
        (self.folder / "config" / "gateway.json").write_text(json.dumps(config))
        process = self.start([program, "serve", "--config", str(self.folder / "config" / "gateway.json")], stdout=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        if not first.startswith("listening on "):
            raise RuntimeError("the gateway did not start: " + (self.folder / "errors.log").read_text())
        self.url = first.split("listening on ")[1].strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        wait("the account", lambda: 'touchgate_account_up{account="sms"} 1' in read(self.url + "/metrics"))

    def is_settled(self):
        """No touch waits and no attempt is open: the answers of all submits are in the log."""
        lines = dict(line.rsplit(" ", 1) for line in read(self.url + "/metrics").split("\n") if line and not line.startswith("#"))
        return all(float(value) == 0 for name, value in lines.items() if name == "touchgate_touches_waiting" or name.startswith("touchgate_account_in_flight"))


class Kannel(Program):
    """bearerbox and smsbox with one SMPP connection, all kept in memory, as fast as it is known to go (docs/performance.md)."""

    def __init__(self, ports):
        super().__init__()
        admin, box, self.port = free_port(), free_port(), free_port()
        (self.folder / "kannel.conf").write_text(f"""
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = {box}
smsbox-interface = 127.0.0.1
dlr-storage = internal
log-file = "{self.folder}/bearerbox.log"
log-level = 3

group = smsc
smsc = smpp
smsc-id = sink
host = 127.0.0.1
port = {ports['smpp']}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = 500
enquire-link-interval = 30

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {self.port}
sendsms-interface = 127.0.0.1
log-file = "{self.folder}/smsbox.log"
log-level = 3

group = sendsms-user
username = bench
password = bench
max-messages = 10
concatenation = true
""")
        quiet = {"stdout": subprocess.DEVNULL, "cwd": self.folder}
        self.start(["/usr/sbin/bearerbox", str(self.folder / "kannel.conf")], **quiet)
        wait("Kannel's message centre", lambda: "online" in read(f"http://127.0.0.1:{admin}/status.txt?password=bench"))
        self.start(["/usr/sbin/smsbox", str(self.folder / "kannel.conf")], **quiet)

        def answers():
            try:
                read(f"http://127.0.0.1:{self.port}/")
            except urllib.error.HTTPError:
                pass
            return "smsbox" in read(f"http://127.0.0.1:{admin}/status.txt?password=bench")

        wait("Kannel's smsbox", answers)
