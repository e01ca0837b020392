// Interned names. A name gets a number once and keeps it for the life of the table; comparing names is comparing numbers.
// Readers on any thread, one writer at a time (a mutex inside; lookups of known names by number take a shared lock).
#pragma once

#include <deque>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/base/ids.hpp"

namespace touchgate {

class SymbolTable {
public:
    SymbolTable();
    SymbolTable(const SymbolTable&) = delete;
    SymbolTable& operator=(const SymbolTable&) = delete;

    // The number of `name`, made if it is new. The empty name is always 0.
    Symbol intern(std::string_view name);
    // The number of `name` if it has one.
    [[nodiscard]] bool find(std::string_view name, Symbol& found) const;
    // Lives as long as the table. `symbol` must come from this table.
    [[nodiscard]] std::string_view name(Symbol symbol) const;
    [[nodiscard]] std::size_t size() const;

private:
    mutable std::shared_mutex mutex_;
    std::deque<std::string> names_;  // deque: a name's address never changes
    std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace touchgate
