// Lets a libFuzzer target run as a plain program: each argument is a file (or a folder of files) that is fed to it once; without arguments
// it runs seeded random mutations of the target's seeds for a moment, so that every test run exercises it.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "gateway/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// A target may define this: inputs that reach deep into its code.
__attribute__((weak)) std::vector<std::string> fuzz_seeds() {
    return {"", "{}", R"({"a":[1,"b",null,{"c":1.5e3}]})", "a=b&c=%E4%BD%A0", std::string(64, '\0')};
}

namespace {

void feed(const std::string& bytes) { LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()); }

std::string mutate(std::string bytes, touchgate::Random& random) {
    for (auto changes = random.below(8) + 1; changes > 0; --changes) {
        const auto at = bytes.empty() ? 0 : random.below(bytes.size());
        switch (random.below(4)) {
            case 0: bytes.insert(at, 1, static_cast<char>(random.next())); break;
            case 1:
                if (!bytes.empty()) bytes.erase(at, random.below(8) + 1);
                break;
            case 2:
                if (!bytes.empty()) bytes[at] = static_cast<char>(random.next());
                break;
            default:
                if (!bytes.empty()) bytes += bytes.substr(at);
                if (bytes.size() > 4096) bytes.resize(4096);
        }
    }
    return bytes;
}

int run(int argc, char** argv) {
    std::size_t fed = 0;
    for (int i = 1; i < argc; ++i) {
        std::vector<std::filesystem::path> files;
        if (std::filesystem::is_directory(argv[i]))
            for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[i]})
                if (entry.is_regular_file()) files.push_back(entry.path());
        if (files.empty()) files.emplace_back(argv[i]);
        for (const auto& file : files) {
            std::ifstream stream{file, std::ios::binary};
            feed({std::istreambuf_iterator<char>{stream}, {}});
            ++fed;
        }
    }
    if (argc < 2) {
        touchgate::Random random{20260101};
        const auto seeds = fuzz_seeds();
        for (const auto& seed : seeds) feed(seed);
        for (int round = 0; round < 20'000 && !seeds.empty(); ++round, ++fed) feed(mutate(seeds[random.below(seeds.size())], random));
    }
    std::cout << fed << " inputs\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
