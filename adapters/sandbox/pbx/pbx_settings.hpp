// The simulated PBX as it is set up: who may log in, whose telephones are registered, which numbers callers dial.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

struct PbxSettings {
    std::map<std::string, std::string, std::less<>> users;  // name → password
    std::vector<std::string> read_only;                     // of those, who may not write
    std::vector<std::string> agents;                        // extensions whose telephones are registered; none: all
    std::vector<std::string> dids{"1000"};                  // numbers that callers dial by themselves
    std::string app = "touchgate";                          // where the dial plan sends calls
};

// Does not call finish().
[[nodiscard]] PbxSettings read_pbx(JsonReader& reader);

}  // namespace touchgate::sandbox
