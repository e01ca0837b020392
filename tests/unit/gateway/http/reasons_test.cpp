#include "gateway/http/reasons.hpp"

#include "tests/catch.hpp"

using namespace touchgate;

TEST_CASE("Whatever a card suggests is said in both languages") {
    const auto code = GENERATE("keep_promise", "mind_open_ticket", "mind_complaint", "contact_lead", "follow_up_touch", "greet", "answer_question");  // of gateway/engine/contact_card.cpp
    const auto words = http::reason_words("suggestion", code);
    CHECK(words.english != code);
    CHECK(words.chinese != code);
}
