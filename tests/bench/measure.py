"""What a gateway reaches, each beside its limit measured in the same run: JSON lines, then a line with the medians of the runs.

    measure.py [submit] [submit_receipts] [webhook] [callbacks] [intake] [--runs N] [--program FILE] [--bench FILE] [--real-time]

submit, submit_receipts  from POST /v1/touches to the committed answer of the message centre; limit: a bare SMPP client on the same centre
webhook                  receipts through /hooks/…, verified, deduplicated, durable; then the same ones again; limit: a bare HTTP server
callbacks                encrypted messages of an official account's followers, verified, decrypted, deduplicated, durable; instead of a limit: Express with wechat-crypto,
                         which keeps nothing, on the same bodies (every follower writes ten times; the first makes a contact and a conversation)
intake                   POST /v1/touches alone, durable, while they are also sent; limit: a bare HTTP server
"""

import argparse
import json
import pathlib
import subprocess
import time

from programs import KEY, Gateway, Program, Stage, go_real_time, load_average, median, print_line, read, wait


def submit(options, receipts):
    for kind, count, connections in (("single", options.count, options.connections), ("bulk", options.count * 3, 4)):
        with Stage(options.bench) as stage:
            stage.ask("receipts", "on" if receipts else "off")
            with Gateway(options.program, stage.ports) as gateway:
                stage.ask("load", kind, gateway.port, KEY, count // 20, connections, 0)
                limit = stage.ask("blast", 300000, 500)["per_second"]
                before = gateway.cpu_seconds()
                answer = stage.ask("load", kind, gateway.port, KEY, count, connections, 0)
                wait("the last commit", gateway.is_settled)
                committed = count / (time.monotonic_ns() - answer["begun_ns"]) * 1e9
                cpu = gateway.cpu_seconds() - before
        rate = answer["reported_per_second" if receipts else "submitted_per_second"]
        yield ("submit_receipts_" if receipts else "submit_") + kind, {
            "complete": answer["complete"] and answer["wrong"] == 0, "per_second": rate, "accepted_per_second": answer["accepted_per_second"],
            "committed_per_second": round(committed), "limit_per_second": limit, "of_limit": rate / limit,
            "to_submit_p50_ms": answer["to_submit_p50_ms"], "to_submit_p99_ms": answer["to_submit_p99_ms"], "cpu_us": cpu / count * 1e6}


def webhook(options):
    with Stage(options.bench) as stage, Gateway(options.program, stage.ports) as gateway:
        sent = stage.ask("send", gateway.port, KEY, options.count)
        wait("the provider's answers", gateway.is_settled, 60)
        for name in ("webhook", "webhook_repeated"):
            limit = stage.ask("echo", options.connections, 1)["per_second"]
            before = gateway.cpu_seconds()
            answer = stage.ask("hooks", gateway.port, Gateway.HOOK, 1, options.count, options.connections)
            cpu = gateway.cpu_seconds() - before
            wait("every touch delivered", lambda: json.loads(read(gateway.url + "/v1/reports/funnel", KEY))["totals"].get("delivered") == options.count, 60)
            yield name, {"complete": sent["complete"] and answer["wrong"] == 0, "per_second": answer["per_second"], "limit_per_second": limit, "of_limit": answer["per_second"] / limit,
                         "p50_ms": answer["p50_ms"], "p99_ms": answer["p99_ms"], "cpu_us": cpu / options.count * 1e6}


def callbacks(options):
    """The usual receiver, Express with wechat-crypto, gets the same bodies in the same run; it keeps nothing."""
    folder = pathlib.Path(__file__).parent / "wechat_receiver"
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    with Stage(options.bench) as stage, Gateway(options.program, stage.ports) as gateway, Program() as peer:
        receiver = peer.start(["node", str(folder / "receiver.mjs"), Gateway.APP, Gateway.TOKEN, Gateway.AES_KEY], stdout=subprocess.PIPE, text=True)
        port = int(receiver.stdout.readline())
        usual = stage.ask("wechat", port, "/hook", 1, options.count // 5, options.connections, Gateway.APP, Gateway.TOKEN, Gateway.AES_KEY)
        before = gateway.cpu_seconds()
        answer = stage.ask("wechat", gateway.port, "/hooks/oa", 1, options.count, options.connections, Gateway.APP, Gateway.TOKEN, Gateway.AES_KEY)
        cpu = gateway.cpu_seconds() - before
        again = stage.ask("wechat", gateway.port, "/hooks/oa", 1, options.count, options.connections, Gateway.APP, Gateway.TOKEN, Gateway.AES_KEY)
        kept = [line for line in read(gateway.url + "/metrics").splitlines() if line.startswith("touchgate_hook_accepted_total") and '"oa"' in line]
    for name, each in (("callbacks", answer), ("callbacks_repeated", again)):
        yield name, {"complete": each["wrong"] == 0 and usual["wrong"] == 0 and int(float(kept[0].split()[-1])) == 2 * options.count, "per_second": each["per_second"],
                     "limit_per_second": usual["per_second"], "of_limit": each["per_second"] / usual["per_second"], "p50_ms": each["p50_ms"], "p99_ms": each["p99_ms"],
                     "cpu_us": cpu / options.count * 1e6}


def intake(options):
    with Stage(options.bench) as stage, Gateway(options.program, stage.ports) as gateway:
        stage.ask("load", "single", gateway.port, KEY, options.count // 20, options.connections, 0)
        limit = stage.ask("echo", options.connections, 2)["per_second"]
        before = gateway.cpu_seconds()
        answer = stage.ask("load", "single", gateway.port, KEY, options.count, options.connections, 0)
        cpu = gateway.cpu_seconds() - before
    rate = answer["accepted_per_second"]
    yield "intake", {"complete": answer["wrong"] == 0, "per_second": rate, "limit_per_second": limit, "of_limit": rate / limit, "p50_ms": answer["http_p50_ms"],
                     "p99_ms": answer["http_p99_ms"], "cpu_us": cpu / options.count * 1e6}


MEASUREMENTS = {"submit": lambda options: submit(options, False), "submit_receipts": lambda options: submit(options, True), "webhook": webhook, "callbacks": callbacks, "intake": intake}


def rounded(fields):
    return {name: round(value, 3 if value < 1 else 1) if isinstance(value, float) else value for name, value in fields.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", default=[], metavar="WHAT", help=", ".join(MEASUREMENTS))
    arguments.add_argument("--program", default="build/touchgate")
    arguments.add_argument("--bench", default="build/touchgate-bench")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--count", type=int, default=50000)
    arguments.add_argument("--connections", type=int, default=256)
    arguments.add_argument("--real-time", action="store_true", help="go before everything else on the machine")
    options = arguments.parse_args()
    if options.real_time:
        go_real_time()
    unknown = set(options.what) - set(MEASUREMENTS)
    if unknown:
        arguments.error("unknown: " + ", ".join(sorted(unknown)))
    found = {}
    for run in range(1, options.runs + 1):
        for what in options.what or MEASUREMENTS:
            for name, fields in MEASUREMENTS[what](options):
                found.setdefault(name, []).append(fields)
                print_line(bench=name, run=run, load_average=load_average(), **rounded(fields))
    for name, runs in found.items():
        complete = [fields for fields in runs if fields["complete"]]
        print_line(bench=name, runs=len(runs), complete_runs=len(complete), load_average=load_average(), summary="median",
                   **rounded({field: median([fields[field] for fields in complete]) for field in runs[0] if field != "complete" and complete}))


main()
