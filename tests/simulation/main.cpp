// touchgate-sim --seed N | --seeds FROM..TO, --steps M: see README.md.
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "tests/simulation/world.hpp"

namespace {

// True: no rule broke.
bool run(std::uint64_t seed, std::uint64_t steps) {
    touchgate::simulation::World world{seed};
    std::uint64_t step = 0;
    while (step < steps && world.step()) ++step;
    world.settle();
    const auto& broken = world.oracle().broken();
    std::cout << "seed=" << seed << " steps=" << step << " " << world.summary() << (broken.empty() ? " ok" : " BROKEN rule " + broken) << std::endl;
    return broken.empty();
}

int usage() {
    std::cerr << "usage: touchgate-sim (--seed N | --seeds FROM..TO) [--steps M]\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t from = 1, to = 1, steps = 20'000;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 >= argc) return usage();
        const std::string_view option = argv[i];
        const std::string value = argv[i + 1];
        if (option == "--seed") {
            from = to = std::strtoull(value.c_str(), nullptr, 10);
        } else if (option == "--seeds") {
            const auto dots = value.find("..");
            if (dots == std::string::npos) return usage();
            from = std::strtoull(value.c_str(), nullptr, 10);
            to = std::strtoull(value.c_str() + dots + 2, nullptr, 10);
        } else if (option == "--steps") {
            steps = std::strtoull(value.c_str(), nullptr, 10);
        } else {
            return usage();
        }
    }
    for (auto seed = from; seed <= to; ++seed)
        if (!run(seed, steps)) return 1;
    return 0;
}
