#include "gateway/content/alphabet.hpp"

#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::content;

TEST_CASE("alphabet: every septet of GSM 03.38 survives decoding and encoding", "[content]") {
    for (int code = 0; code < 128; ++code) {
        if (code == 0x1B) continue;
        const std::string byte(1, static_cast<char>(code));
        INFO(code);
        CHECK(encode(decode(byte, Alphabet::gsm), Alphabet::gsm) == byte);
    }
    for (const int code : {0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65}) {
        const std::string bytes{'\x1B', static_cast<char>(code)};
        INFO(code);
        CHECK(encode(decode(bytes, Alphabet::gsm), Alphabet::gsm) == bytes);
    }
}

TEST_CASE("alphabet: GSM text has the bytes of the published table", "[content]") {
    CHECK(to_hex(*encode("Hello @ {€}", Alphabet::gsm)) == "48656c6c6f2000201b281b651b29");
    CHECK(to_hex(*encode("@£$¥èéùìòÇ\nØø\rÅå", Alphabet::gsm)) == "000102030405060708090a0b0c0d0e0f");
    CHECK(to_hex(*encode("Δ_ΦΓΛΩΠΨΣΘΞ", Alphabet::gsm)) == "101112131415161718191a");
    CHECK(to_hex(*encode("§¿äöñüà", Alphabet::gsm)) == "5f607b7c7d7e7f");
    CHECK(to_hex(*encode("^{}\\[~]|€\f", Alphabet::gsm)) == "1b141b281b291b2f1b3c1b3d1b3e1b401b651b0a");
}

TEST_CASE("alphabet: what GSM lacks is refused, not replaced", "[content]") {
    for (const auto* text : {"ç", "`", "中", "😀", "Ё", "’"}) {
        INFO(text);
        CHECK_FALSE(encode(text, Alphabet::gsm));
    }
    CHECK_FALSE(encode("é", Alphabet::ascii));
    CHECK_FALSE(encode("€", Alphabet::latin1));
    CHECK(to_hex(*encode("é", Alphabet::latin1)) == "e9");
}

TEST_CASE("alphabet: GSM decoding never fails: unknown escapes show the plain character", "[content]") {
    CHECK(decode(std::string{"a\x1B"}, Alphabet::gsm) == "a");
    CHECK(decode(std::string{"\x1Bx"}, Alphabet::gsm) == "x");
    CHECK(decode(std::string{"\x1B\x1B"}, Alphabet::gsm) == " ");
    CHECK(decode(std::string{"\xFFz"}, Alphabet::gsm) == "\xEF\xBF\xBDz");
}

TEST_CASE("alphabet: UCS-2 keeps surrogate pairs, drops a byte-order mark and survives halves", "[content]") {
    CHECK(to_hex(*encode("【示例】你好😀", Alphabet::ucs2)) == "3010793a4f8b30114f60597dd83dde00");
    CHECK(decode(*from_hex("3010793a4f8b30114f60597dd83dde00"), Alphabet::ucs2) == "【示例】你好😀");
    CHECK(decode(*from_hex("feff4f60"), Alphabet::ucs2) == "你");
    CHECK(decode(*from_hex("d83d"), Alphabet::ucs2) == "\xEF\xBF\xBD");
    CHECK(decode(*from_hex("de00d83d4f60"), Alphabet::ucs2) == "\xEF\xBF\xBD\xEF\xBF\xBD你");
    CHECK(decode(*from_hex("4f60ff"), Alphabet::ucs2) == "你");
    CHECK(decode("", Alphabet::ucs2).empty());
}

TEST_CASE("alphabet: damaged UTF-8 becomes U+FFFD and never stalls", "[content]") {
    const auto text = GENERATE(as<std::string>{}, "\xC3", "\xE4\xB8", "\xF0\x9F\x98", "\x80\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80");
    std::size_t position = 0;
    while (position < text.size()) CHECK(next_code_point(text, position) == 0xFFFD);
}

TEST_CASE("alphabet: GB 18030 text is read, and bytes that are not become U+FFFD", "[content]") {
    CHECK(decode_gb18030("\xC4\xE3\xBA\xC3") == "你好");
    CHECK(decode_gb18030("a\xFF") == "a\xEF\xBF\xBD");
    CHECK(decode_gb18030("\xC4") == "\xEF\xBF\xBD");
    std::string lengthy;
    for (int i = 0; i < 2'000; ++i) lengthy += "\xC4\xE3";
    CHECK(decode_gb18030(lengthy).size() == 6'000);
}
