// Messages of FreeSWITCH's event socket: header lines, an empty line, and as many bytes of body as Content-Length says. Pure.
//
// Source: mod_event_socket.c. Lines end in LF, a CR before it is tolerated; lengths count bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace touchgate::adapters::freeswitch_esl {

struct Frame {
    std::vector<std::pair<std::string, std::string>> headers;  // in their order, values as they came
    std::string body;
    // The first value of a name, in whatever case it is written; empty without one.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

class FrameReader {
public:
    static constexpr std::size_t header_bytes_max = 64 * 1024;
    static constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;

    void feed(std::string_view bytes);
    // The next whole message. Nothing while more bytes are needed, and for ever once `broken`.
    [[nodiscard]] std::optional<Frame> next();
    // What came is no event socket: the stream cannot be read any further.
    [[nodiscard]] bool broken() const { return broken_; }
    void clear();

private:
    [[nodiscard]] std::optional<Frame> read_headers(std::size_t& end);
    std::string buffer_;
    std::size_t read_ = 0;  // bytes of the buffer that are used up
    bool broken_ = false;
};

}  // namespace touchgate::adapters::freeswitch_esl
