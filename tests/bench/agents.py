"""Thousands of agents' sockets on one gateway (tests/bench/agent_bench.hpp): JSON lines.

    agents.py [--agents N] [--backlog N] [--program FILE] [--bench FILE] [--real-time]
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys

from programs import KEY, Program, go_real_time, load_average, print_line, read, wait

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Center(Program):
    def __init__(self, program, agents):
        super().__init__()
        (self.folder / "config").mkdir()
        (self.folder / "templates").mkdir()
        (self.folder / "policy.json").write_text(json.dumps({"name": "open", "rules": []}))
        config = self.folder / "config" / "gateway.json"
        config.write_text(json.dumps({
            "http": {"listen": "127.0.0.1:0"}, "data_dir": "data", "policy": "policy.json", "templates": "templates", "limits": {"connections": 2000},
            "api_keys": [{"name": "bench", "key": KEY, "scopes": ["agents", "admin"]}], "agents": {"connections": 2 * agents, "lease": "PT1M"},
            "accounts": {"sms": {"adapter": "aliyun_sms", "base_url": "http://127.0.0.1:9", "access_key_id": "id", "access_key_secret": "secret", "sign_name": "bench",
                                 "callback_token": "token-of-the-bench"}}}))
        self.process = self.start([program, "serve", "--config", str(config)], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split("listening on ")[1].strip()
        wait("the gateway", lambda: read(self.url + "/readyz") is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--backlog", type=int, default=20_000)
    parser.add_argument("--program", default=str(ROOT / "build" / "touchgate"))
    parser.add_argument("--bench", default=str(ROOT / "build" / "touchgate-bench"))
    parser.add_argument("--real-time", action="store_true", help="go before everything else on the machine (needs root)")
    options = parser.parse_args()
    if options.real_time:
        go_real_time()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < options.agents + 1000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (options.agents + 1000, options.agents + 1000))
    with Center(options.program, options.agents) as center:
        status = subprocess.run([options.bench, "agents", center.url.rsplit(":", 1)[1], str(center.process.pid), KEY, str(options.agents), str(options.backlog)]).returncode
        print_line(what="cpu", gateway_seconds=round(center.cpu_seconds(), 1), load_average=load_average())
    sys.exit(status)


if __name__ == "__main__":
    main()
