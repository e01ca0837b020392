// What an account can be asked to do beside sending: contact ways, tags, QR codes, transfers … declared as data, so that one API lists, checks and
// runs them for every platform. An adapter says what there is and turns one into a request and an answer back into a result; nothing here does I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel/outcome.hpp"

namespace touchgate::channel {

struct OperationField {
    enum class Kind : std::uint8_t { text, integer, boolean, texts, integers, object, objects };
    std::string_view name;
    Kind kind = Kind::text;
    bool required = false;
    std::size_t max = 0;            // of a text: characters; of a list: entries; of an integer: its value; 0: no limit of its own
    std::string_view about = {};    // for people
};

struct Operation {
    std::string_view name;          // "add_contact_way", unique within an adapter
    std::string_view about;         // for people
    bool changes = true;            // false: it only reads, so that repeating it is harmless
    std::span<const OperationField> fields = {};
};

// Something new can be pulled: see ExchangeAdapter::pulls.
struct PullHint {
    std::string name;
    std::string hint = {};          // given to the next request of that pull: a callback's token, or which one thing is new
};

// `accepted`: done, and `result_json` is an object without the platform's frame; any other kind says why not. `unknown`: nobody knows whether it was
// done.
struct OperationAnswer {
    Outcome outcome;
    std::string result_json = {};
    std::vector<PullHint> pulls = {};  // what it changed and no callback will tell
};

}  // namespace touchgate::channel
