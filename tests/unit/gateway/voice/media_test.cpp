#include "gateway/voice/media.hpp"

#include "tests/catch.hpp"

namespace touchgate::voice {

TEST_CASE("media: a bare name is a file of the telephone system, a sentence is spoken, a medium's own word stays") {
    const auto [text, medium] = GENERATE(table<std::string, std::string>({
        {"hello-world", "file:hello-world"},
        {"sound:hello", "file:hello"},
        {"ivr/welcome.wav", "file:ivr/welcome.wav"},
        {"https://example.com/a.wav", "file:https://example.com/a.wav"},
        {"file:hello", "file:hello"},
        {"text:hello", "text:hello"},
        {"number:42", "number:42"},
        {"tone:beep", "tone:beep"},
        {"recording:x", "recording:x"},
        {"your parcel has come", "text:your parcel has come"},
        {"\u4f60\u597d", "text:\u4f60\u597d"},
        {"\u7248\u672c3.5", "text:\u7248\u672c3.5"},
        {"", "text:"},
    }));
    CHECK(medium_of(text) == medium);
}

}  // namespace touchgate::voice
