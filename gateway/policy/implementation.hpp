// The insides of a CompiledPolicy, shared by compile.cpp (makes it) and decide.cpp (reads it).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/policy/counting.hpp"
#include "gateway/policy/decide.hpp"
#include "gateway/policy/profile_tables.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

struct CompiledPolicy::Implementation {
    Implementation(SymbolTable& symbol_table, const ProfileTable& profile_table, std::string zone)
        : symbols{symbol_table}, profiles{profile_table}, default_zone{std::move(zone)} {}

    const SymbolTable& symbols;
    const ProfileTable& profiles;
    std::string default_zone;

    std::string name;
    std::vector<std::string> purposes;
    std::vector<Symbol> purpose_symbols;
    std::vector<std::vector<Symbol>> classes;
    std::map<std::string, std::vector<std::string>, std::less<>> default_channels;
    std::vector<std::string> attributes;
    std::vector<std::unique_ptr<Rule>> rules;   // built-ins first
    std::vector<Dimensions> shared_counters;
    std::vector<std::string> labels;            // that some counter is divided by, sorted
    std::unique_ptr<ProfileTables> tables;
};

}  // namespace touchgate::policy
