// Cuts the answers of a keep-alive HTTP connection out of a byte stream: with a length, or in chunks with or without a trailer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace touchgate::bench {

class HttpAnswers {
public:
    void feed(std::string_view bytes) { buffer_ += bytes; }
    // True when one more answer is whole; then its status is status(). False: more bytes are needed. Throws std::runtime_error for
    // what is no answer.
    [[nodiscard]] bool next();
    [[nodiscard]] int status() const { return status_; }

private:
    enum class State { head, body, chunk_size, chunk, trailer };
    // The next line without its end, or nothing yet.
    bool take_line(std::string_view& line);

    std::string buffer_;
    std::size_t read_ = 0;  // of buffer_
    State state_ = State::head;
    std::size_t left_ = 0;  // bytes of the body or chunk
    bool chunked_ = false;
    int status_ = 0;
    bool status_line_read_ = false;
};

}  // namespace touchgate::bench
