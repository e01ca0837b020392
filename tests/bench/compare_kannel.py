"""Touchgate beside Kannel: the same message centre, the same load, in alternating runs. Started by compare_kannel.sh.

Each run is a line of JSON, each mode ends with a line that has the medians and their ratios. per_second is what the message centre saw: messages
until the last submit, with receipts until the last receipt was answered. told_per_second: until the caller knew of all receipts. cpu_us is what
the measured processes used for a message; it depends less than the rates on what else the machine does.
"""

import argparse

from programs import KEY, Gateway, Kannel, Stage, go_real_time, load_average, median, print_line


def measure(stage, program, kind, key, count, connections, receipts, callbacks):
    warm_up = max(200, count // 20)
    stage.ask("load", kind, program.port, key, warm_up, connections, callbacks)
    before = program.cpu_seconds()
    answer = stage.ask("load", kind, program.port, key, count, connections, callbacks)
    cpu = program.cpu_seconds() - before
    return {"complete": answer["complete"], "count": count, "wrong": answer["wrong"], "per_second": answer["reported_per_second" if receipts else "submitted_per_second"],
            "accepted_per_second": answer["accepted_per_second"], "told_per_second": answer["told_per_second"], "http_p99_ms": answer["http_p99_ms"],
            "to_submit_p99_ms": answer["to_submit_p99_ms"], "cpu_us": round(cpu / count * 1e6, 1)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--bench", required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--count", type=int, default=30000)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--kannel-callbacks", type=int, default=1, help="1: Kannel tells of the final receipt; 2: also of the centre's acceptance")
    arguments.add_argument("--real-time", action="store_true", help="go before everything else on the machine")
    options = arguments.parse_args()
    if options.real_time:
        go_real_time()
    contenders = {
        "kannel": ("kannel", lambda ports: Kannel(ports), "-", 1, options.connections, options.kannel_callbacks),
        "touchgate_single": ("single", lambda ports: Gateway(options.program, ports), KEY, 1, options.connections, 1),
        "touchgate_bulk": ("bulk", lambda ports: Gateway(options.program, ports), KEY, 3, 4, 1),
    }
    for receipts in (False, True):
        runs = {name: [] for name in contenders}
        limits = []
        for number in range(1, options.rounds + 1):
            for name, (kind, make, key, factor, connections, callbacks) in contenders.items():
                with Stage(options.bench) as stage:
                    stage.ask("receipts", "on" if receipts else "off")
                    limits.append(stage.ask("blast", 200000, 500)["per_second"])
                    with make(stage.ports) as program:
                        run = measure(stage, program, kind, key, options.count * factor, connections, receipts, callbacks if receipts else 0)
                runs[name].append(run)
                print_line(receipts=receipts, round=number, program=name, sink_limit_per_second=limits[-1], load_average=load_average(), **run)
        of = {name: {field: median([run[field] for run in found if run["complete"]]) for field in ("per_second", "told_per_second", "cpu_us")} for name, found in runs.items()}
        for field in ("per_second", "told_per_second"):
            if not of["kannel"][field]:
                continue
            print_line(summary=field, receipts=receipts, rounds=options.rounds, sink_limit_per_second=median(limits), load_average=load_average(),
                       **{name: of[name][field] for name in of}, **{name + "_of_kannel": round(of[name][field] / of["kannel"][field], 2) for name in of if name != "kannel" and of[name][field]})
        print_line(summary="cpu_us", receipts=receipts, **{name: of[name]["cpu_us"] for name in of},
                   **{"kannel_of_" + name: round(of["kannel"]["cpu_us"] / of[name]["cpu_us"], 2) for name in of if name != "kannel" and of[name]["cpu_us"]})


main()
