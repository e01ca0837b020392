// `touchgate sandbox`: the simulated channels behind real sockets. One thread, the caller's.
#pragma once

#include <atomic>
#include <iostream>
#include <string>

#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

// Plays what the key `sandbox` of `configuration` names until SIGTERM, SIGINT or `stop` (looked at ten times a second). Other keys of
// the configuration are not looked at. Relative files are relative to `root`. Once everything listens, one line of JSON with the bound
// addresses goes to `out`: {"listen":"127.0.0.1:8090","smsc":"127.0.0.1:2775",…}. Returns the exit status: 0 after a stop, 2 when the
// configuration is wrong or an address cannot be listened on (every problem is written to `log`).
int run(const Json& configuration, const std::string& root, std::atomic<bool>& stop, std::ostream& out = std::cout, std::ostream& log = std::cerr);

}  // namespace touchgate::sandbox
