#include "gateway/content/long_message.hpp"

#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::content;
using namespace std::chrono_literals;

namespace {

PartAssembly::Key key(std::uint8_t total, std::uint8_t index, std::uint16_t reference = 1) {
    return {.from = "+86139", .to = "1069", .place = {.reference = reference, .total = total, .index = index}};
}
using Added = PartAssembly::Added;

}  // namespace

TEST_CASE("long messages: the concatenation header has the bytes of the standard", "[content]") {
    CHECK(to_hex(concatenation_header(PartHeader::reference_8_bit, {0x2A, 2, 1})) == "0500032a0201");
    CHECK(to_hex(concatenation_header(PartHeader::reference_16_bit, {0x1234, 2, 2})) == "06080412340202");
    const auto data = read_user_data(*from_hex("0608041234020261"));
    CHECK(data.place == PartPlace{0x1234, 2, 2});
    CHECK(data.wide);
}

TEST_CASE("long messages: other elements are skipped, and damaged headers count as none", "[content]") {
    struct Row { std::string hex; bool has_place; std::string text; };
    const auto row = GENERATE(values<Row>({{"0500032a0201" "6162", true, "ab"},
                                           {"0a" "0504000100020003" "2a0201" "61", false, "*\x02\x01" "a"},  // element longer than the header
                                           {"0b" "050400010002" "00032a0201" "61", true, "a"},
                                           {"0500032a0203" "61", false, "a"},   // index above total
                                           {"0500032a0200" "61", false, "a"},
                                           {"0500032a0101" "61", false, "a"},   // one part only
                                           {"ff61", false, "\xFF" "a"},
                                           {"", false, ""},
                                           {"00" "61", false, "a"}}));
    INFO(row.hex);
    const auto bytes = *from_hex(row.hex);
    const auto data = read_user_data(bytes);
    CHECK(data.place.has_value() == row.has_place);
    if (row.hex.substr(0, 2) != "0a") CHECK(data.text == row.text);
}

TEST_CASE("long messages: parts in any order make the whole once", "[content]") {
    PartAssembly assembly;
    CHECK(assembly.add(1s, key(3, 2), {.coding = 0, .bytes = "b"}).added == Added::waiting);
    CHECK(assembly.add(1s, key(3, 2), {.coding = 0, .bytes = "b"}).added == Added::duplicate);
    CHECK(assembly.add(1s, key(3, 1), {.coding = 0, .bytes = "a"}).added == Added::waiting);
    CHECK(assembly.add(1s, key(3, 1, 2), {.coding = 0, .bytes = "x"}).added == Added::waiting);  // another reference
    const auto last = assembly.add(1s, key(3, 3), {.coding = 0, .bytes = "c"});
    REQUIRE(last.added == Added::complete);
    CHECK(last.whole->parts.size() == 3);
    CHECK(assembly.waiting() == 1);
    CHECK(assembly.add(2s, key(3, 2), {.coding = 0, .bytes = "b"}).added == Added::duplicate);
    CHECK(assembly.add(2s + 10min, key(3, 2), {.coding = 0, .bytes = "b"}).added == Added::waiting);
}

TEST_CASE("long messages: what waits a day is given up, what memory cannot hold too, oldest first", "[content]") {
    PartAssembly assembly;
    (void)assembly.add(0s, key(2, 1, 1), {.coding = 0, .bytes = "a"});
    (void)assembly.add(1h, key(2, 1, 2), {.coding = 0, .bytes = "b"});
    CHECK(assembly.expire(24h - 1ns).empty());
    const auto expired = assembly.expire(24h);
    REQUIRE(expired.size() == 1);
    CHECK(expired[0].incomplete);
    CHECK(expired[0].key.place.reference == 1);

    const std::string large(PartAssembly::bytes_max / 4, 'x');
    std::vector<PartAssembly::Whole> given_up;
    for (std::uint16_t i = 10; i < 14; ++i)
        for (auto& whole : assembly.add(2h, key(2, 1, i), {.coding = 0, .bytes = large}).given_up) given_up.push_back(whole);
    REQUIRE(given_up.size() == 2);
    CHECK(given_up[0].key.place.reference == 2);
    CHECK(given_up[1].key.place.reference == 10);
}

TEST_CASE("long messages: a completion that could not be stored is undone", "[content]") {
    PartAssembly assembly;
    (void)assembly.add(0s, key(2, 1), {.coding = 0, .bytes = "a"});
    auto whole = *assembly.add(0s, key(2, 2), {.coding = 0, .bytes = "b"}).whole;
    whole.parts.erase(2);
    assembly.restore(1s, whole);
    CHECK(assembly.waiting() == 1);
    CHECK(assembly.add(2s, key(2, 2), {.coding = 0, .bytes = "b"}).added == Added::complete);
}

TEST_CASE("long messages: thousands of finished messages leave nothing behind", "[content]") {
    PartAssembly assembly;
    for (std::uint16_t i = 0; i < 5'000; ++i) {
        (void)assembly.add(std::chrono::milliseconds{i}, key(2, 1, i), {.coding = 0, .bytes = "a"});
        (void)assembly.add(std::chrono::milliseconds{i}, key(2, 2, i), {.coding = 0, .bytes = "b"});
    }
    CHECK(assembly.waiting() == 0);
    CHECK(assembly.expire(25h).empty());
}
