// The part of the configuration that is about agents: their connections (`agents`), the queues (`queues`), who works there (`agents_file`).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/app/config.hpp"

namespace touchgate::app {

// Reads all three; what is wrong in the configuration becomes a problem of `reader`, what is wrong in the file one of `files`.
void read_desk_settings(JsonReader& reader, Config& config, std::vector<FileProblem>& files);

}  // namespace touchgate::app
