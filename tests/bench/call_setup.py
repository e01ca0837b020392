"""The gateway in the set-up of calls, with a real Asterisk: JSON lines, then a line with the medians.

    call_setup.py [share] [rate] [--rounds N] [--calls N] [--agents N] [--program FILE] [--asterisk FOLDER] [--real-time]

share  from an event of the PBX to the command that follows from it, at a moderate rate of calls, by a tap between the two
rate   calls a second in a closed loop, as many callers as agents: answered, queued, an agent called, joined, hung up; beside a bare loop that makes the same
       requests and does nothing else (ari_loop.mjs), in alternating rounds

Callers and agents' telephones are SIPp. Needs root, Debian's archive (tests/integration/asterisk/setup.sh) and node.
"""

import argparse
import json
import os
import pathlib
import select
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETUP = ROOT / "tests" / "integration" / "asterisk"
sys.path[1:1] = [str(SETUP), str(ROOT / "tests" / "acceptance")]

import gateway  # noqa: E402
from agent_socket import Socket  # noqa: E402
from ari_tap import Tap  # noqa: E402
from basics import free_port  # noqa: E402
from floor import Floor  # noqa: E402
from parties import Sipp, answering, calling  # noqa: E402
from pbx import Asterisk  # noqa: E402
from programs import go_real_time, load_average, print_line  # noqa: E402


class Crowd:
    """Agents who take what they are offered at once; with `hang_up` they end the call as soon as they are connected."""

    def __init__(self, world, agents, hang_up):
        self.hang_up, self.over, self.calls = hang_up, threading.Event(), 0
        self.wires = {}
        for agent in agents:
            wire = Socket(world.url, world.agent_token(agent))
            wire.send_text('{"id":1,"type":"presence.set","state":"ready"}')
            self.wires[wire.socket] = wire
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            for readable in select.select(list(self.wires), [], [], 0.1)[0]:
                wire = self.wires[readable]
                wire.fill()
                while self.has_frame(wire.buffer):
                    self.take(wire, *wire.frame())

    @staticmethod
    def has_frame(buffer):
        if len(buffer) < 2:
            return False
        if buffer[1] < 126:
            return len(buffer) >= 2 + buffer[1]
        size = 2 if buffer[1] == 126 else 8
        return len(buffer) >= 2 + size and len(buffer) >= 2 + size + int.from_bytes(buffer[2:2 + size], "big")

    def take(self, wire, opcode, payload):
        if opcode == 9:
            wire.send_frame(10, payload)
        if opcode != 1:
            return
        if b'"offer"' in payload or b'"interaction.connected"' in payload:
            frame = json.loads(payload)
            if frame.get("type") == "offer":
                wire.send_text(json.dumps({"id": 2, "type": "offer.accept", "offer": frame["offer"], "fence": frame["fence"]}))
            elif frame.get("type") == "interaction.connected":
                self.calls += 1
                if self.hang_up:
                    wire.send_text(json.dumps({"id": 3, "type": "call.hangup", "interaction": frame["interaction"]}))

    def close(self):
        self.over.set()
        self.thread.join()
        for wire in self.wires.values():
            wire.close()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values, share):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


class Telephones:
    """An Asterisk with agents' telephones that answer at once."""

    def __init__(self, options):
        self.agents = options.agents
        self.port = free_port()
        self.pbx = Asterisk(options.asterisk, agents=options.agents, desk_phones={f"agent{n}": self.port for n in range(1, options.agents + 1)}, rtp_timeout=0).start()
        self.phones = Sipp(answering(ring_ms=0), port=self.port, echo=False)

    def floor(self, **more):
        return Floor(self.pbx, [f"a{n}" for n in range(1, self.agents + 1)], queue={"wrap_up": "PT0S"}, settings={"log_level": "warn"}, **more)

    def callers(self, calls, at_once, talk_ms=None, rate=None):
        """Seconds until all have called and were served."""
        begin = time.monotonic()
        party = Sipp(calling("1000", "13900000001", talk_ms=talk_ms), remote=self.pbx.sip_port, calls=calls, at_once=at_once, rate=rate, echo=False)
        status = party.wait(600)
        took = time.monotonic() - begin
        failed = party.errors()
        party.stop()
        if status != 0:
            raise RuntimeError(f"calls failed: {failed[:1000]}")
        return took

    def close(self):
        self.phones.stop()
        self.pbx.stop()


def share(options):
    telephones = Telephones(options)
    try:
        tap = Tap(telephones.pbx.http_port)
        with telephones.floor(account={"base_url": tap.url}) as world:
            crowd = Crowd(world, [f"a{n}" for n in range(1, options.agents + 1)], hang_up=False)
            try:
                telephones.callers(options.calls, options.agents, talk_ms=100, rate=options.per_second)
            finally:
                crowd.close()
        tap.close()
        delays = tap.delays
        for name, values in delays.found.items():
            print_line(what="share", step=name, calls=len(values), p50_ms=quantile(values, 0.5), p99_ms=quantile(values, 0.99), most_ms=quantile(values, 1))
        every = [value for values in delays.found.values() for value in values]
        print_line(what="share", step="all", calls=options.calls, offered_per_second=options.per_second, p50_ms=quantile(every, 0.5), p99_ms=quantile(every, 0.99),
                   arrival_to_talk_p50_ms=quantile(delays.waited, 0.5), arrival_to_talk_p99_ms=quantile(delays.waited, 0.99), load_average=load_average())
    finally:
        telephones.close()


def rate(options):
    telephones = Telephones(options)
    rounds = {"gateway": [], "bare": []}
    try:
        for _ in range(options.rounds):
            for kind in rounds:
                took, cpu, pbx_cpu = (with_gateway if kind == "gateway" else with_bare_loop)(telephones, options)
                rounds[kind].append(options.calls / took)
                print_line(what="rate", by=kind, calls=options.calls, agents=options.agents, per_second=round(options.calls / took, 1), cpu_ms=round(cpu / options.calls * 1000, 2),
                           pbx_cpu_ms=round(pbx_cpu / options.calls * 1000, 2), load_average=load_average())
        medians = {kind: statistics.median(values) for kind, values in rounds.items()}
        print_line(what="rate", gateway=round(medians["gateway"], 1), bare=round(medians["bare"], 1), of_bare=round(medians["gateway"] / medians["bare"], 3))
    finally:
        telephones.close()


def with_gateway(telephones, options):
    with telephones.floor() as world:
        crowd = Crowd(world, [f"a{n}" for n in range(1, options.agents + 1)], hang_up=True)
        try:
            telephones.callers(options.agents * 5, options.agents)  # everything has been touched once
            return measured(telephones, options, world.gateway.pid)
        finally:
            crowd.close()


def with_bare_loop(telephones, options):
    pbx = telephones.pbx
    loop = subprocess.Popen(["node", str(pathlib.Path(__file__).parent / "ari_loop.mjs"), pbx.url(), pbx.user, pbx.password, pbx.app, str(options.agents)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        json.loads(loop.stdout.readline())
        telephones.callers(options.agents * 5, options.agents)
        return measured(telephones, options, loop.pid)
    finally:
        loop.stdin.close()
        loop.wait(10)
        loop.stdout.close()


def measured(telephones, options, pid):
    pids = (pid, telephones.pbx.process.pid)
    before = [cpu_seconds(each) for each in pids]
    took = telephones.callers(options.calls, options.agents)
    return took, *(cpu_seconds(each) - used for each, used in zip(pids, before))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["share", "rate"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--per-second", type=float, default=20)
    parser.add_argument("--program", default=str(ROOT / "build" / "touchgate"))
    parser.add_argument("--asterisk", help="the folder that setup.sh made; by default it is asked to make one")
    parser.add_argument("--real-time", action="store_true", help="go before everything else on the machine")
    options = parser.parse_args()
    gateway.PROGRAM = options.program
    if options.real_time:
        go_real_time()
    if not options.asterisk:
        options.asterisk = subprocess.run([str(SETUP / "setup.sh")], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    for what in options.what:
        {"share": share, "rate": rate}[what](options)


if __name__ == "__main__":
    main()
