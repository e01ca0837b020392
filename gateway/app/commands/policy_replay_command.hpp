// `touchgate policy replay`, a subcommand of `touchgate policy`.
#pragma once

#include "gateway/app/commands/commands.hpp"

namespace touchgate::app {

void add_policy_replay(CLI::App& policy_command, CommandLine& line);

}  // namespace touchgate::app
