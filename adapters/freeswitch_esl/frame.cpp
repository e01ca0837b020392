#include "adapters/freeswitch_esl/frame.hpp"

#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::freeswitch_esl {

std::string_view Frame::header(std::string_view name) const {
    const auto wanted = to_lower_ascii(name);
    for (const auto& [key, value] : headers)
        if (key.size() == wanted.size() && to_lower_ascii(key) == wanted) return value;
    return {};
}

void FrameReader::clear() {
    buffer_.clear();
    read_ = 0;
    broken_ = false;
}

void FrameReader::feed(std::string_view bytes) {
    if (broken_) return;
    if (read_ > 0 && read_ >= buffer_.size() / 2) {
        buffer_.erase(0, read_);
        read_ = 0;
    }
    buffer_.append(bytes);
}

// `end`: the first byte behind the empty line.
std::optional<Frame> FrameReader::read_headers(std::size_t& end) {
    Frame frame;
    auto at = read_;
    for (;;) {
        const auto stop = buffer_.find('\n', at);
        if (stop == std::string::npos) {
            broken_ = buffer_.size() - read_ > header_bytes_max;
            return std::nullopt;
        }
        auto line = std::string_view{buffer_}.substr(at, stop - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        at = stop + 1;
        if (line.empty()) {
            if (!frame.headers.empty()) break;
            read_ = at;  // empty lines between messages
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || at - read_ > header_bytes_max) {
            broken_ = true;
            return std::nullopt;
        }
        frame.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    end = at;
    return frame;
}

std::optional<Frame> FrameReader::next() {
    if (broken_) return std::nullopt;
    std::size_t end = 0;
    auto frame = read_headers(end);
    if (!frame) return std::nullopt;
    std::size_t length = 0;
    if (const auto text = frame->header("Content-Length"); !text.empty()) {
        const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
        if (failure != std::errc{} || stop != text.data() + text.size() || length > body_bytes_max) {
            broken_ = true;
            return std::nullopt;
        }
    }
    if (buffer_.size() - end < length) return std::nullopt;
    frame->body = buffer_.substr(end, length);
    read_ = end + length;
    return frame;
}

}  // namespace touchgate::adapters::freeswitch_esl
