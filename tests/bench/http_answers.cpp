#include "tests/bench/http_answers.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace touchgate::bench {

namespace {

std::size_t number(std::string_view text, int base) {
    std::size_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (failure != std::errc{} || end == text.data()) throw std::runtime_error{"not a number in an HTTP answer: " + std::string{text}};
    return value;
}

bool starts_with_name(std::string_view line, std::string_view name) {
    return line.size() >= name.size() && std::equal(name.begin(), name.end(), line.begin(), [](char wanted, char c) {
               return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
           });
}

}  // namespace

bool HttpAnswers::take_line(std::string_view& line) {
    const auto end = buffer_.find("\r\n", read_);
    if (end == std::string::npos) return false;
    line = std::string_view{buffer_}.substr(read_, end - read_);
    read_ = end + 2;
    return true;
}

bool HttpAnswers::next() {
    const auto whole = [&] {
        state_ = State::head;
        status_line_read_ = false;
        return true;
    };
    std::string_view line;
    for (;;) {
        switch (state_) {
            case State::head:
                if (!take_line(line)) {
                    buffer_.erase(0, read_);
                    read_ = 0;
                    return false;
                }
                if (!status_line_read_) {
                    if (!line.starts_with("HTTP/1.") || line.size() < 12) throw std::runtime_error{"not an HTTP answer"};
                    status_ = static_cast<int>(number(line.substr(9, 3), 10));
                    status_line_read_ = true;
                    chunked_ = false;
                    left_ = 0;
                } else if (line.empty()) {
                    state_ = chunked_ ? State::chunk_size : State::body;
                } else if (starts_with_name(line, "content-length: ")) {
                    left_ = number(line.substr(16), 10);
                } else if (starts_with_name(line, "transfer-encoding: chunked")) {
                    chunked_ = true;
                }
                break;
            case State::chunk_size:
                if (!take_line(line)) return false;
                left_ = number(line, 16);
                if (left_ == 0) state_ = State::trailer;
                else {
                    left_ += 2;  // its line end
                    state_ = State::chunk;
                }
                break;
            case State::body:
            case State::chunk: {
                const auto taken = std::min(left_, buffer_.size() - read_);
                read_ += taken;
                left_ -= taken;
                if (left_ > 0) {
                    buffer_.clear();
                    read_ = 0;
                    return false;
                }
                if (state_ == State::body) return whole();
                state_ = State::chunk_size;
                break;
            }
            case State::trailer:
                if (!take_line(line)) return false;
                if (line.empty()) return whole();
                break;
        }
    }
}

}  // namespace touchgate::bench
