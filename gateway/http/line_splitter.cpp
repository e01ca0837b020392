#include "gateway/http/line_splitter.hpp"

#include "gateway/base/text.hpp"

namespace touchgate::http {

void LineSplitter::feed(std::string_view bytes) {
    buffer_.erase(0, at_);
    searched_to_ -= at_;
    at_ = 0;
    if (buffer_.capacity() < buffer_.size() + bytes.size() + padding_bytes_) buffer_.reserve((buffer_.size() + bytes.size()) * 2 + padding_bytes_);
    buffer_.append(bytes);
}

bool LineSplitter::next(Line& line) {
    for (;;) {
        auto end = buffer_.find('\n', searched_to_);
        const bool whole = end != std::string::npos;
        if (!whole) {
            searched_to_ = buffer_.size();
            end = buffer_.size();
            // A line that has grown too long is dropped as it comes.
            if (end - at_ > line_bytes_max) {
                skipping_ = true;
                at_ = end;
            }
            if (!finished_) return false;
            if (at_ == end && !skipping_) return false;
        }
        const bool too_long = skipping_ || end - at_ > line_bytes_max;
        const auto text = std::string_view{buffer_}.substr(at_, end - at_);
        at_ = whole ? end + 1 : end;
        searched_to_ = at_;
        skipping_ = false;
        ++number_;
        if (too_long) {
            line = {.number = number_, .text = {}, .too_long = true};
            return true;
        }
        const auto content = trim(text);
        if (content.empty()) continue;
        line = {.number = number_, .text = content, .too_long = false};
        return true;
    }
}

}  // namespace touchgate::http
