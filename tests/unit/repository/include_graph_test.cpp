// Draws the include graph of the sources and fails on an edge that docs/architecture.md does not allow.

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "tests/catch.hpp"

namespace fs = std::filesystem;

namespace {

using Allowed = std::map<std::string, std::set<std::string>>;

// Module → the modules whose headers it may include. Transitive use is allowed where the architecture's table says so.
const Allowed& allowed() {
    static const std::set<std::string> pure = {"base", "crypto", "json", "channel", "policy", "content", "dispatch", "campaign", "leads", "measure", "dialing", "routing", "voice", "touch_log"};
    static const auto with = [](std::set<std::string> more) {
        more.insert(pure.begin(), pure.end());
        return more;
    };
    static const Allowed edges = {
        {"base", {}},
        {"crypto", {"base"}},
        {"json", {"base"}},
        {"channel", {"base", "json"}},
        {"measure", {"base"}},
        {"policy", {"base", "crypto", "json"}},
        {"content", {"base", "crypto", "json"}},
        {"dispatch", {"base", "channel"}},
        {"campaign", {"base", "crypto", "json", "dispatch"}},
        {"leads", {"base", "crypto", "json", "policy"}},
        {"dialing", {"base", "json", "policy", "measure", "dispatch"}},
        {"routing", {"base", "json"}},
        {"voice", {"base", "json", "channel"}},
        {"touch_log", {"base", "crypto"}},
        {"engine", pure},
        {"projection", with({"engine"})},
        {"net", with({"engine"})},
        {"http", with({"engine", "projection"})},
        {"app", with({"engine", "projection", "net", "http", "sandbox"})},
        {"adapter", {"base", "crypto", "json", "channel", "content", "adapter_parts"}},
        {"adapter_parts", {"base", "crypto", "json", "channel", "content"}},
        {"sandbox", {"base", "crypto", "json"}},
    };
    return edges;
}

// "gateway/policy/rules/cap.cpp" → "policy"; "adapters/smpp/pdu.hpp" → "adapter:smpp"; a folder without adapter.hpp is shared by several.
std::string module_of(const std::string& path) {
    std::smatch found;
    if (std::regex_match(path, found, std::regex{"gateway/([a-z_]+)/.*"})) return found[1];
    if (path.starts_with("adapters/sandbox/")) return "sandbox";
    if (!std::regex_match(path, found, std::regex{"adapters/([a-z_]+)/.*"})) return {};
    const auto folder = fs::path{TOUCHGATE_SOURCE_DIR} / "adapters" / found[1].str();
    return fs::exists(folder / "adapter.hpp") ? "adapter:" + found[1].str() : "adapter_parts";
}

struct Include {
    std::string file, included;
    std::size_t line = 0;
};

std::vector<Include> includes_of(const fs::path& root) {
    std::vector<Include> all;
    const std::regex pattern{R"(\s*#\s*include\s+["<]([^">]+)[">].*)"};
    for (const auto* folder : {"gateway", "adapters"})
        for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
            if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
            std::ifstream file{entry.path()};
            std::size_t number = 0;
            for (std::string line; std::getline(file, line);) {
                ++number;
                std::smatch found;
                if (line.find("#include") != std::string::npos && std::regex_match(line, found, pattern))
                    all.push_back({fs::relative(entry.path(), root).string(), found[1], number});
            }
        }
    return all;
}

}  // namespace

TEST_CASE("architecture: every include follows an edge of the documented graph", "[repository]") {
    std::size_t edges = 0;
    for (const auto& include : includes_of(TOUCHGATE_SOURCE_DIR)) {
        const auto from = module_of(include.file);
        const auto to = module_of(include.included);
        if (from.empty() || to.empty() || from == to) continue;
        ++edges;
        const auto kind = from.starts_with("adapter:") ? std::string{"adapter"} : from;
        const auto rule = allowed().find(kind);
        INFO(include.file << ":" << include.line << " includes " << include.included);
        REQUIRE(rule != allowed().end());
        CHECK(rule->second.contains(to));
    }
    CHECK(edges > 100);
}

TEST_CASE("architecture: pure modules see no sockets, database, TLS library, HTTP client or logger", "[repository]") {
    const std::set<std::string> pure = {"base", "json", "channel", "policy", "content", "dispatch", "leads", "measure", "dialing", "engine"};
    for (const auto& include : includes_of(TOUCHGATE_SOURCE_DIR)) {
        const auto module = module_of(include.file);
        if (!pure.contains(module) && !module.starts_with("adapter:")) continue;
        for (const auto* forbidden : {"boost/asio", "boost/beast", "sqlite3", "openssl/", "curl/", "spdlog/"}) {
            INFO(include.file << ":" << include.line << " includes " << include.included);
            CHECK_FALSE(include.included.starts_with(forbidden));
        }
    }
}

TEST_CASE("architecture: the real clocks and randomness are read in base, net, http's timers, app and the sandbox's driver only", "[repository]") {
    const std::regex pattern{R"((system_clock|steady_clock|high_resolution_clock)::now|random_device)"};
    for (const auto& entry : fs::recursive_directory_iterator{fs::path{TOUCHGATE_SOURCE_DIR} / "gateway"}) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        const auto path = fs::relative(entry.path(), TOUCHGATE_SOURCE_DIR).string();
        const auto module = module_of(path);
        if (module != "policy" && module != "content" && module != "dispatch" && module != "leads" && module != "measure" && module != "dialing" && module != "engine" && module != "channel" && module != "touch_log") continue;
        std::ifstream file{entry.path()};
        for (std::string line; std::getline(file, line);) {
            INFO(path << ": " << line);
            CHECK_FALSE(std::regex_search(line, pattern));
        }
    }
}
