"""The first synchronisation of a corporation's customers and customer groups from the sandbox's WeCom, with a kill -9 in its middle: JSON lines.

    synchronise.py [--customers N] [--groups N] [--employees N] [--program FILE] [--real-time]

Every line is a moment: contacts known, groups read, the gateway's resident memory and both programs' CPU seconds; the last one the whole.
"""

import argparse
import json
import pathlib
import subprocess
import time

from programs import KEY, Program, go_real_time, load_average, print_line, read, wait

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Platform(Program):
    def __init__(self, options):
        super().__init__()
        config = self.folder / "sandbox.json"
        config.write_text(json.dumps({"sandbox": {
            "listen": "127.0.0.1:0", "seed": 1,
            "wecom": {"listen": "127.0.0.1:0", "corpid": "ww1", "apps": [{"agentid": 1000002, "secret": "s"}], "members": [f"employee{i}" for i in range(options.employees)],
                      "customers": options.customers, "groups": options.groups}}}))
        self.process = self.start([options.program, "sandbox", "--config", str(config)], stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())


class Center(Program):
    def __init__(self, options, platform):
        super().__init__()
        self.program = options.program
        (self.folder / "config").mkdir()
        (self.folder / "policy.json").write_text(json.dumps({"name": "open", "rules": []}))
        self.config = self.folder / "config" / "gateway.json"
        self.config.write_text(json.dumps({
            "http": {"listen": "127.0.0.1:0"}, "data_dir": "data", "policy": "policy.json", "log_level": "warn",
            "api_keys": [{"name": "bench", "key": KEY, "scopes": ["touches", "contacts", "reports", "admin"]}],
            "accounts": {"wecom": {"adapter": "wecom", "base_url": "http://" + platform.ports["wecom"], "corp_id": "ww1", "secret": "s", "agent_id": 1000002, "sender": "employee0",
                                   "sync": True, "token": "callbacktoken", "encoding_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"},
                         "groups": {"adapter": "wecom_group", "corp": "wecom", "sender": "employee0", "sync": True}}}))
        self.serve()

    def serve(self):
        self.process = self.start([self.program, "serve", "--config", str(self.config)], stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if not first.startswith("listening on "):
            raise RuntimeError("the gateway did not start: " + (self.folder / "errors.log").read_text())
        self.url = first.split("listening on ")[1].strip()
        wait("the gateway", lambda: read(self.url + "/readyz") is not None)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.processes.remove(self.process)

    def contacts(self):
        lines = dict(line.rsplit(" ", 1) for line in read(self.url + "/metrics").split("\n") if line and not line.startswith("#"))
        return int(float(lines["touchgate_contacts"]))

    def pulls(self):
        accounts = json.loads(read(self.url + "/v1/accounts", KEY))["items"]
        return {account["name"]: account["pulls"] for account in accounts if account.get("pulls")}

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--groups", type=int, default=5_000)
    parser.add_argument("--employees", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--program", default=str(ROOT / "build" / "touchgate"))
    parser.add_argument("--real-time", action="store_true", help="go before everything else on the machine (needs root)")
    options = parser.parse_args()
    if options.real_time:
        go_real_time()
    with Platform(options) as platform, Center(options, platform) as center:
        begun = time.monotonic()
        killed = 0
        while time.monotonic() - begun < options.seconds:
            time.sleep(2)
            known = center.contacts()
            pulls = center.pulls()
            print_line(seconds=round(time.monotonic() - begun, 1), contacts=known, resident_mb=center.resident_mb(), platform_cpu=platform.cpu_seconds(), gateway_cpu=center.cpu_seconds(), pulls=pulls)
            if not killed and known > options.customers // 2:
                killed = known
                center.kill()
                center.serve()
                print_line(what="killed and started again", contacts_before=known, contacts_after=center.contacts())
            whole = [pull for each in pulls.values() for pull in each]
            if known >= options.customers and whole and all(pull.get("completed_at") for pull in whole):
                break
        seconds = time.monotonic() - begun
        print_line(what="whole", complete=center.contacts() >= options.customers, seconds=round(seconds, 1), contacts=center.contacts(), contacts_per_second=round(center.contacts() / seconds),
                   resident_mb=center.resident_mb(), gateway_cpu=center.cpu_seconds(), platform_cpu=platform.cpu_seconds(), load_average=load_average())


if __name__ == "__main__":
    main()
