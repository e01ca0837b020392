// Folding has a short way for common characters: it must give what the library gives.
#include "gateway/policy/text_match.hpp"

#include <utf8proc.h>

#include <cstdlib>

#include "gateway/base/random.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

std::string utf8(char32_t c) {
    utf8proc_uint8_t bytes[4];
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::optional<std::string> by_library(const std::string& text, int more) {
    utf8proc_uint8_t* mapped = nullptr;
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | more));
    if (size < 0) return std::nullopt;
    std::string made{reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
    std::free(mapped);
    return made;
}

void same(const std::string& text) {
    INFO(text);
    const bool equal = fold(text) == by_library(text, 0) && fold_visible(text) == by_library(text, UTF8PROC_IGNORE);
    if (!equal) CHECK(equal);
}

}  // namespace

TEST_CASE("folding: every character of the basic plane comes out as the library has it, alone and among others", "[policy][text]") {
    for (char32_t c = 1; c < 0x10000; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        same(utf8(c));
        same("A" + utf8(c) + "か【乙Ｂ");
    }
    CHECK(*fold("ＶＩＰ会员，Ａ—1") == "vip会员,a—1");
}

TEST_CASE("folding: random texts and broken bytes come out as the library has them", "[policy][text]") {
    Random random{5};
    const char32_t some[] = {U'a', U'Z', U'甲', U'】', U'，', U'か', 0x3099, 0x0301, 0x200B, 0x1F600, U'é', 0xFF21, 0x3000, U'ﬁ', 0xAC00, 0x1100};
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (std::uint64_t length = random.below(8); length > 0; --length) text += utf8(some[random.below(std::size(some))]);
        if (random.chance(0.2) && !text.empty()) text[random.below(text.size())] = static_cast<char>(random.below(256));
        same(text);
    }
    CHECK_FALSE(fold("\xE4\xB8").has_value());
    CHECK_FALSE(fold("\xE0\x81\x81").has_value());
}
