// A stream of bytes → its lines, as the rules of bulk requests want them: lines are numbered from 1, blank ones counted and left out, the last
// one needs no LF, and one that is too long is named but not kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace touchgate::http {

class LineSplitter {
public:
    static constexpr std::size_t line_bytes_max = std::size_t{1} << 20U;

    // What stands behind a line that is shown is readable for `padding_bytes` (it is the splitter's own memory), whatever it holds.
    explicit LineSplitter(std::size_t padding_bytes) : padding_bytes_{padding_bytes} {}

    void feed(std::string_view bytes);
    void finish() { finished_ = true; }

    struct Line {
        std::uint64_t number = 0;
        std::string_view text = {};  // valid until the next call of feed
        bool too_long = false;       // `text` is empty then
    };
    // The next whole line; false when more bytes are needed (or, after finish, at the end).
    [[nodiscard]] bool next(Line& line);
    // Bytes that are fed and not yet given out.
    [[nodiscard]] std::size_t waiting_bytes() const { return buffer_.size() - at_; }

private:
    const std::size_t padding_bytes_;
    std::string buffer_;
    std::size_t at_ = 0;          // start of the line that is next
    std::size_t searched_to_ = 0; // no LF stands before this
    std::uint64_t number_ = 0;
    bool skipping_ = false;       // inside a line that is too long
    bool finished_ = false;
};

}  // namespace touchgate::http
