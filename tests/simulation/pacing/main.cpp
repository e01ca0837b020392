// touchgate-pacing: our governor and VICIdial's law on the same call floors, with the same bound on dropped calls.
//
//   touchgate-pacing [--runs N] [--days N] [--agents N] [--answer-rate P] [--seed N] [--law NAME] [--level L] [--target T] [--intensity I]
//
// The last three are VICIdial's: lines per agent at most, wanted difference, intensity. Prints a line of JSON for each law. Fails if the governor
// breaks the bound in more than one run in a hundred, or if its agents are less occupied in the mean than with a variant of the other law.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "gateway/dialing/governor.hpp"
#include "tests/simulation/pacing/floor.hpp"

using namespace touchgate;
using namespace touchgate::pacing_simulation;

namespace {

struct Options {
    FloorTerms terms;
    int runs = 3;
    std::uint64_t seed = 1;
    std::string only;
    VicidialTuning vicidial;
};

// Nothing wrong: empty.
std::string read_options(int argc, char** argv, Options& to) {
    if (argc % 2 == 0) return "an option has no value";
    for (int i = 1; i + 1 < argc; i += 2) {
        const auto is = [&](const char* name) { return std::strcmp(argv[i], name) == 0; };
        const auto number = std::strtod(argv[i + 1], nullptr);
        if (is("--runs")) to.runs = std::max(1, static_cast<int>(number));
        else if (is("--days")) to.terms.days = std::max(1, static_cast<int>(number));
        else if (is("--agents")) to.terms.agents = static_cast<std::uint32_t>(std::max(1.0, number));
        else if (is("--answer-rate")) to.terms.answer_rate = number;
        else if (is("--seed")) to.seed = static_cast<std::uint64_t>(number);
        else if (is("--law")) to.only = argv[i + 1];
        else if (is("--level")) to.vicidial.level_max = number;
        else if (is("--target")) to.vicidial.target = number;
        else if (is("--intensity")) to.vicidial.intensity = number;
        else return std::string{"unknown option "} + argv[i];
    }
    return {};
}

struct Law {
    const char* name;
    bool ours;
    VicidialMethod method;
};
constexpr Law laws[] = {{"governor", true, {}},
                        {"vicidial_hard_limit", false, VicidialMethod::hard_limit},
                        {"vicidial_average", false, VicidialMethod::average},
                        {"vicidial_tapered", false, VicidialMethod::tapered}};

struct Sum {
    double occupancy = 0, occupancy_least = 1, drop_rate = 0, drop_rate_most = 0;
    int kept = 0;
};

Sum measure_law(const Law& law, const Options& options, const dialing::Plan& plan) {
    Sum sum;
    for (int run = 0; run < options.runs; ++run) {
        const auto seed = options.seed + static_cast<std::uint64_t>(run);
        FloorResult result;
        if (law.ours) {
            dialing::Governor governor{plan};
            result = run_floor(options.terms, plan, governor, nullptr, seed);
        } else {
            auto tuning = options.vicidial;
            tuning.method = law.method;
            Vicidial vicidial{plan, tuning};
            result = run_floor(options.terms, plan, vicidial, &vicidial, seed);
        }
        sum.occupancy += result.occupancy / options.runs;
        sum.occupancy_least = std::min(sum.occupancy_least, result.occupancy);
        sum.drop_rate += result.drop_rate / options.runs;
        sum.drop_rate_most = std::max(sum.drop_rate_most, result.drop_rate);
        sum.kept += result.drop_rate_worst <= plan.max_drop_percent / 100 ? 1 : 0;
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (const auto wrong = read_options(argc, argv, options); !wrong.empty()) {
        std::fprintf(stderr, "touchgate-pacing: %s (see the head of tests/simulation/pacing/main.cpp)\n", wrong.c_str());
        return 2;
    }
    dialing::Plan plan;
    plan.mode = dialing::Mode::predictive;
    plan.max_lines = options.terms.agents * 10;
    double ours = 1;
    double theirs = 0;
    bool kept = true;
    for (const auto& law : laws) {
        if (!options.only.empty() && options.only != law.name) continue;
        const auto sum = measure_law(law, options, plan);
        std::printf("{\"law\":\"%s\",\"runs\":%d,\"days\":%d,\"agents\":%u,\"occupancy\":%.4f,\"occupancy_least\":%.4f,\"drop_rate\":%.5f,"
                    "\"drop_rate_most\":%.5f,\"bound_kept\":%.4f}\n",
                    law.name, options.runs, options.terms.days, options.terms.agents, sum.occupancy, sum.occupancy_least, sum.drop_rate, sum.drop_rate_most,
                    static_cast<double>(sum.kept) / options.runs);
        std::fflush(stdout);
        if (law.ours) {
            ours = sum.occupancy;
            kept = sum.kept * 100 >= options.runs * 99;
        } else {
            theirs = std::max(theirs, sum.occupancy);
        }
    }
    if (!kept) std::fprintf(stderr, "the governor broke the bound in more than one run in a hundred\n");
    if (ours < theirs) std::fprintf(stderr, "the governor's agents are less occupied than VICIdial's\n");
    return kept && ours >= theirs ? 0 : 1;
}
