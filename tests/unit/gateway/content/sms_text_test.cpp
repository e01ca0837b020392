#include "gateway/content/sms_text.hpp"

#include "gateway/base/text.hpp"
#include "gateway/content/billing.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::content;

namespace {

std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("counting: alphabet, units and parts of a text", "[content]") {
    struct Row { std::string label, text; Alphabet alphabet; std::size_t units; int parts_8, parts_16; };
    const auto row = GENERATE(values<Row>({
        {"empty", "", Alphabet::gsm, 0, 1, 1},
        {"a x160", repeat("a", 160), Alphabet::gsm, 160, 1, 1},
        {"a x161", repeat("a", 161), Alphabet::gsm, 161, 2, 2},
        {"a x306", repeat("a", 306), Alphabet::gsm, 306, 2, 3},
        {"a x307", repeat("a", 307), Alphabet::gsm, 307, 3, 3},
        {"euro x80", repeat("€", 80), Alphabet::gsm, 160, 1, 1},
        {"euro x152", repeat("€", 152), Alphabet::gsm, 304, 2, 2},
        {"euro x153: pairs may not be split", repeat("€", 153), Alphabet::gsm, 306, 3, 3},
        {"a x152, euro, a x152", repeat("a", 152) + "€" + repeat("a", 152), Alphabet::gsm, 306, 3, 3},
        {"Omega x160", repeat("Ω", 160), Alphabet::gsm, 160, 1, 1},
        {"中 x70", repeat("中", 70), Alphabet::ucs2, 70, 1, 1},
        {"中 x71", repeat("中", 71), Alphabet::ucs2, 71, 2, 2},
        {"中 x134", repeat("中", 134), Alphabet::ucs2, 134, 2, 3},
        {"中 x135", repeat("中", 135), Alphabet::ucs2, 135, 3, 3},
        {"😀 x35", repeat("😀", 35), Alphabet::ucs2, 70, 1, 1},
        {"😀 x66", repeat("😀", 66), Alphabet::ucs2, 132, 2, 2},
        {"😀 x67: 33 a part", repeat("😀", 67), Alphabet::ucs2, 134, 3, 3},
        {"【ABC】 + a x65", "【ABC】" + repeat("a", 65), Alphabet::ucs2, 70, 1, 1},
        {"grave accent", "`", Alphabet::ucs2, 1, 1, 1},
    }));
    INFO(row.label);
    const auto with_8 = measure_sms(row.text);
    const auto with_16 = measure_sms(row.text, Alphabet::gsm, PartHeader::reference_16_bit);
    CHECK(with_8.alphabet == row.alphabet);
    CHECK(with_8.units == row.units);
    CHECK(with_8.segments == row.parts_8);
    CHECK(with_16.segments == row.parts_16);
    for (const auto header : {PartHeader::reference_8_bit, PartHeader::reference_16_bit}) {
        const auto encoded = encode_sms(row.text, Alphabet::gsm, header);
        CHECK(static_cast<int>(encoded.parts.size()) == measure_sms(row.text, Alphabet::gsm, header).segments);
        std::string joined;
        std::string text;
        for (const auto& part : encoded.parts) {
            joined += part;
            text += decode(part, encoded.alphabet);
            CHECK(part.size() <= 160);
        }
        CHECK(text == row.text);  // each part alone is readable, so no pair is split
        CHECK(decode(joined, encoded.alphabet) == row.text);
    }
}

TEST_CASE("counting: Latin-1 and ASCII are used only where every character fits", "[content]") {
    CHECK(measure_sms("é", Alphabet::latin1).alphabet == Alphabet::latin1);
    CHECK(measure_sms("中", Alphabet::latin1).alphabet == Alphabet::ucs2);
    CHECK(measure_sms("é", Alphabet::ascii).alphabet == Alphabet::ucs2);
    CHECK(measure_sms(repeat("é", 141), Alphabet::latin1).segments == 2);
    CHECK(measure_sms(repeat("[", 81), Alphabet::ascii).segments == 2);  // on the air each is an escape pair
}

TEST_CASE("billing: cn70 counts characters of any script, gsm7 counts what is sent", "[content]") {
    struct Row { std::string text; int cn70, gsm7; };
    const auto row = GENERATE(values<Row>({{"", 1, 1},
                                           {repeat("a", 70), 1, 1},
                                           {repeat("a", 71), 2, 1},
                                           {repeat("a", 134), 2, 1},
                                           {repeat("a", 135), 3, 1},
                                           {repeat("a", 161), 3, 2},
                                           {repeat("中", 70), 1, 1},
                                           {repeat("中", 71), 2, 2},
                                           {repeat("中", 135), 3, 3},
                                           {repeat("😀", 35), 1, 1},
                                           {repeat("😀", 36), 2, 2}}));
    INFO(row.text);
    CHECK(billed_segments(row.text, Counting::cn70) == row.cn70);
    CHECK(billed_segments(row.text, Counting::gsm7) == row.gsm7);
}

TEST_CASE("billing: prices are exact decimals", "[content]") {
    CHECK(parse_money("0.045")->micros == 45'000);
    CHECK(parse_money("3")->micros == 3'000'000);
    CHECK(parse_money("0.000001")->micros == 1);
    for (const auto* bad : {"", ".5", "1.", "-1", "1e3", "0.0000001", "1,5", "1234567890", " 1"}) {
        INFO(bad);
        CHECK_FALSE(parse_money(bad));
    }
    CHECK(format_money({45'000}) == "0.045");
    CHECK(format_money({3'000'000}) == "3");
    CHECK(format_money({12'500'000}) == "12.5");
    CHECK(format_money({-100'000}) == "-0.1");
    CHECK(format_money({}) == "0");
}

TEST_CASE("billing: three segments at 0.045 cost 0.135; calls cost started steps", "[content]") {
    Billing billing{.price = *parse_money("0.045")};
    CHECK(format_money(billing.message_cost(3)) == "0.135");
    CHECK(format_money(billing.call_cost(std::chrono::minutes{2})) == "0");
    billing.per = BillingUnit::minute;
    CHECK(format_money(billing.call_cost(std::chrono::milliseconds{60'001})) == "0.09");
    CHECK(format_money(billing.call_cost(std::chrono::milliseconds{0})) == "0");
    CHECK(format_money(billing.message_cost(3)) == "0");
    billing.per = BillingUnit::six_seconds;
    CHECK(format_money(billing.call_cost(std::chrono::seconds{13})) == "0.135");
}

TEST_CASE("billing: a wrong billing object names every field that is wrong", "[content]") {
    const Json json = {{"currency", "CNY"}, {"price", 0.045}, {"per", "sms"}, {"conting", "cn70"}};
    std::vector<Problem> problems;
    (void)read_billing(JsonReader{json, "/accounts/a/billing", problems});
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].pointer == "/accounts/a/billing/price");
    CHECK(problems[1].pointer == "/accounts/a/billing/per");
    CHECK(problems[2].pointer == "/accounts/a/billing/conting");
}
