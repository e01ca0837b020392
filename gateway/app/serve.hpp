// `touchgate serve`: the parts of the gateway, built in order, run until a signal, left in the reverse order.
#pragma once

#include <string>

namespace touchgate::app {

// Exit status: 0 after SIGTERM or SIGINT; 2 when it could not start (the reason, with its place, is written to stderr).
// stdout's first line is "listening on http://HOST:PORT".
int serve(const std::string& config_path);

}  // namespace touchgate::app
