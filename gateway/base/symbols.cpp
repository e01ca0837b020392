#include "gateway/base/symbols.hpp"

#include <mutex>

namespace touchgate {

SymbolTable::SymbolTable() { intern(""); }

Symbol SymbolTable::intern(std::string_view name) {
    if (Symbol known; find(name, known)) return known;
    const std::unique_lock lock{mutex_};
    if (const auto known = numbers_.find(name); known != numbers_.end()) return {known->second};
    const auto number = static_cast<std::uint32_t>(names_.size());
    numbers_.emplace(names_.emplace_back(name), number);
    return {number};
}

bool SymbolTable::find(std::string_view name, Symbol& found) const {
    const std::shared_lock lock{mutex_};
    const auto known = numbers_.find(name);
    if (known == numbers_.end()) return false;
    found = {known->second};
    return true;
}

std::string_view SymbolTable::name(Symbol symbol) const {
    const std::shared_lock lock{mutex_};
    return names_[symbol.value];
}

std::size_t SymbolTable::size() const {
    const std::shared_lock lock{mutex_};
    return names_.size();
}

}  // namespace touchgate
