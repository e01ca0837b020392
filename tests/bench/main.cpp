// touchgate-bench: JSON lines, one measurement each. See docs/performance.md for how they are read.
//
//   touchgate-bench decide  [contacts] [rules] [seconds]        rules: a number, or a policy file such as policies/china-marketing.json
//   touchgate-bench log     FOLDER
//   touchgate-bench calls   [in flight] [latency, ms] [seconds]   calls to a slow provider
//   touchgate-bench stage                                         driven by tests/bench/measure.py and compare_kannel.sh: stage.hpp
//   touchgate-bench agents  PORT PROCESS KEY [agents] [backlog]   driven by tests/bench/agents.py: agent_bench.hpp
//   touchgate-bench routing [agents] [waiting] [queues] [seconds]  the routing core, and a scan of SQLite beside it
//   touchgate-bench replay  FOLDER [touches] [contacts]           policy replay over a log that it makes there

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/bench/agent_bench.hpp"
#include "tests/bench/calls_bench.hpp"
#include "tests/bench/decide_bench.hpp"
#include "tests/bench/log_bench.hpp"
#include "tests/bench/replay_bench.hpp"
#include "tests/bench/routing_bench.hpp"
#include "tests/bench/stage.hpp"

namespace {

double argument(int argc, char** argv, int index, double fallback) { return index < argc ? std::strtod(argv[index], nullptr) : fallback; }

}  // namespace

int main(int argc, char** argv) {
    using namespace touchgate::bench;
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "decide" && argc > 3 && std::strtod(argv[3], nullptr) <= 0) {
        return run_policy_bench(static_cast<std::size_t>(argument(argc, argv, 2, 1e6)), argv[3], argument(argc, argv, 4, 5));
    } else if (what == "decide") {
        run_decide_bench(static_cast<std::size_t>(argument(argc, argv, 2, 1e6)), static_cast<int>(argument(argc, argv, 3, 6)), argument(argc, argv, 4, 5));
    } else if (what == "log" && argc > 2) {
        run_log_bench(argv[2]);
    } else if (what == "calls") {
        run_calls_bench(static_cast<int>(argument(argc, argv, 2, 2000)), static_cast<int>(argument(argc, argv, 3, 50)), argument(argc, argv, 4, 10));
    } else if (what == "stage") {
        run_stage();
    } else if (what == "agents" && argc > 4) {
        AgentBench bench;
        bench.port = static_cast<std::uint16_t>(argument(argc, argv, 2, 0));
        bench.process = static_cast<int>(argument(argc, argv, 3, 0));
        bench.key = argv[4];
        bench.agents = static_cast<std::size_t>(argument(argc, argv, 5, static_cast<double>(bench.agents)));
        bench.backlog = static_cast<std::size_t>(argument(argc, argv, 6, static_cast<double>(bench.backlog)));
        return run_agent_bench(bench) ? 0 : 1;
    } else if (what == "routing") {
        run_routing_bench({.agents = static_cast<std::size_t>(argument(argc, argv, 2, 1e4)), .waiting = static_cast<std::size_t>(argument(argc, argv, 3, 1e5)),
                           .queues = static_cast<std::size_t>(argument(argc, argv, 4, 200)), .seconds = argument(argc, argv, 5, 3)});
    } else if (what == "replay" && argc > 2) {
        run_replay_bench(argv[2], static_cast<std::uint64_t>(argument(argc, argv, 3, 1e6)), static_cast<std::uint64_t>(argument(argc, argv, 4, 1e5)));
    } else {
        std::fprintf(stderr, "usage: touchgate-bench decide|log|calls|replay|routing|stage|agents … (see the head of tests/bench/main.cpp)\n");
        return 2;
    }
    return 0;
}
