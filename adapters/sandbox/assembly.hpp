// Puts the parts of long messages together again, whatever way, order and connection they come by.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sandbox/message_store.hpp"
#include "adapters/sandbox/smpp_pdu.hpp"

namespace touchgate::sandbox {

class Assembly {
public:
    struct Result {
        std::vector<PartNumber> complete;  // in reading order once the last part is here, else empty
        std::uint8_t fate = 0;             // what the first part of this message drew, so that all parts share it
        bool repeated = false;             // this place was already taken: the part is kept out
    };

    // `place.joining` must not be none. `fate` is used if this part is the first one of its message.
    Result add(std::uint16_t user, std::string_view from, std::string_view to, const smpp::PartPlace& place, PartNumber part, std::uint8_t fate);

    [[nodiscard]] std::size_t incomplete() const { return groups_.size(); }
    void clear();

private:
    struct Group {
        std::vector<PartNumber> parts;  // by index, no_part where one is missing
        std::size_t missing = 0;
        std::uint8_t fate = 0;
        std::uint64_t serial = 0;
    };
    static constexpr std::size_t groups_max = 200'000;  // then the oldest incomplete message is given up

    // Is the entry's message still incomplete?
    [[nodiscard]] bool is_open(const std::pair<std::uint64_t, std::string>& entry) const;

    std::map<std::string, Group> groups_;
    std::deque<std::pair<std::uint64_t, std::string>> by_age_;
    std::uint64_t serial_ = 0;
};

}  // namespace touchgate::sandbox
