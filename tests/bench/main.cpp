// touchgate-bench: JSON lines, one measurement each. See docs/performance.md for how they are read.
//
//   touchgate-bench decide  [contacts] [rules] [seconds]        rules: a number, or a policy file such as policies/china-marketing.json
//   touchgate-bench log     FOLDER
//   touchgate-bench intake  PORT KEY [connections] [seconds]      against a running gateway; beside a bare Beast echo server
//   touchgate-bench bulk    PORT KEY [lines] [connections] [seconds]

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "tests/bench/decide_bench.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/log_bench.hpp"

namespace {

using namespace touchgate::bench;

double argument(int argc, char** argv, int index, double fallback) { return index < argc ? std::strtod(argv[index], nullptr) : fallback; }

std::string touch(std::uint64_t n) {
    return R"({"key":"bench-)" + std::to_string(n) + R"(","contact":{"phone":"+86138)" + std::to_string(10'000'000 + n % 80'000'000) +
           R"("},"purpose":"marketing","channels":["sms"],"content":{"text":"【品牌】您的专属优惠已到账，点击查看。拒收请回复R"}})";
}

void print(const char* name, const LoadResult& result, std::uint64_t per_answer, int connections, double limit) {
    const auto rate = static_cast<double>(result.answers * per_answer) / result.seconds;
    std::printf(R"({"bench":"%s","connections":%d,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.1f,"wrong":%llu)", name, connections, rate, result.p50_ms, result.p99_ms,
                result.max_ms, static_cast<unsigned long long>(result.wrong));
    if (limit > 0) std::printf(R"(,"limit_per_second":%.0f,"of_limit":%.3f)", limit, rate / limit);
    std::printf("}\n");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "decide" && argc > 3 && std::strtod(argv[3], nullptr) <= 0) {
        return run_policy_bench(static_cast<std::size_t>(argument(argc, argv, 2, 1e6)), argv[3], argument(argc, argv, 4, 5));
    } else if (what == "decide") {
        run_decide_bench(static_cast<std::size_t>(argument(argc, argv, 2, 1e6)), static_cast<int>(argument(argc, argv, 3, 6)), argument(argc, argv, 4, 5));
    } else if (what == "log" && argc > 2) {
        run_log_bench(argv[2]);
    } else if ((what == "intake" || what == "bulk") && argc > 3) {
        const auto port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10));
        // Keys must be new in every run.
        const std::uint64_t from = static_cast<std::uint64_t>(std::time(nullptr)) * 10'000'000ULL;
        if (what == "intake") {
            const auto connections = static_cast<int>(argument(argc, argv, 4, 256));
            const auto seconds = argument(argc, argv, 5, 5);
            const auto echo_port = start_echo_server();
            const auto echo = run_load("127.0.0.1", echo_port, "/", "none", "application/json", connections, seconds / 2, "202", touch);
            const auto limit = static_cast<double>(echo.answers) / echo.seconds;
            print("echo", echo, 1, connections, 0);
            print("intake", run_load("127.0.0.1", port, "/v1/touches", argv[3], "application/json", connections, seconds, "202", [&](std::uint64_t n) { return touch(from + n); }), 1,
                  connections, limit);
        } else {
            const auto lines = static_cast<std::uint64_t>(argument(argc, argv, 4, 1000));
            const auto connections = static_cast<int>(argument(argc, argv, 5, 4));
            const auto body = [&](std::uint64_t n) {
                std::string text;
                for (std::uint64_t i = 0; i < lines; ++i) text += touch(from + n * lines + i) + "\n";
                return text;
            };
            print("bulk", run_load("127.0.0.1", port, "/v1/touches/bulk", argv[3], "application/x-ndjson", connections, argument(argc, argv, 6, 5), "200", body), lines, connections, 0);
        }
    } else {
        std::fprintf(stderr, "usage: touchgate-bench decide|log|intake|bulk … (see the head of tests/bench/main.cpp)\n");
        return 2;
    }
    return 0;
}
