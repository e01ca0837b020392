#include "gateway/content/reply_words.hpp"

#include "tests/catch.hpp"

using namespace touchgate::content;

TEST_CASE("replies: the configured words match whole, however they are typed", "[content]") {
    const ReplyWords words;
    const auto text = GENERATE(as<std::string>{}, "R", "r", " T ", "TD", "td", "ＴＤ", "ｔｄ", "N", "退订", "退订。", "退订！！", "回复TD", "回T",
                               "回复：退订", "回复“R”", "回复 r.", "拒收", "stop", "Stop.", "STOPALL", "unsubscribe", "Cancel", "END", "quit",
                               "　退订　", "回 N", "TD\n", "\xEF\xBB\xBFTD");
    INFO(text);
    CHECK(words.read(text).kind == ReplyKind::opt_out);
}

TEST_CASE("replies: opting in again takes its own words", "[content]") {
    const ReplyWords words;
    for (const auto* text : {"START", "yes", "Unstop", "恢复", "回复恢复"}) {
        INFO(text);
        CHECK(words.read(text).kind == ReplyKind::opt_in);
    }
}

TEST_CASE("replies: what only resembles an opt-out is left for a person", "[content]") {
    const ReplyWords words;
    const auto text = GENERATE(as<std::string>{}, "please stop", "Stop it", "STOP STOP", "stop texting me", "pls unsubscribe me", "I want to cancel",
                               "T T", "TT", "rr", "退订T", "TD退订", "我要退订", "请退订", "退订谢谢", "怎么退订", "不能退订", "我不想收了，退订",
                               "请回复R", "R谢谢", "td吧", "unsubcribe", "unsubscribed", "stpo", "stopp", "退定", "拒受", "别再发了", "不要再发短信",
                               "再发我投诉了", "请勿骚扰");
    INFO(text);
    CHECK(words.read(text).kind == ReplyKind::near_miss);
}

TEST_CASE("replies: ordinary sentences are neither opt-outs nor near misses", "[content]") {
    const ReplyWords words;
    const auto text = GENERATE(as<std::string>{}, "", "   ", "。", "I will not stop", "don't stop", "Don’t stop", "non-stop", "nonstop", "T恤",
                               "T恤有货吗", "我要买T恤", "N次了", "R&D", "T-shirt", "weekend", "the end of the month", "shop", "step", "top",
                               "spot on", "cancel my order", "When does the bus stop?", "不退订", "不要退订", "我不想退订", "别退订", "未退订",
                               "subscribe", "cancer", "quite", "quiet", "friend", "回复", "回", "回家", "好的", "在吗", "恢复营业了吗", "1", "谢谢",
                               "N95口罩", "ok thanks", "你好，我上周买的那件衣服想问问能不能退订单里的另外一件谢谢");
    INFO(text);
    CHECK(words.read(text).kind == ReplyKind::none);
}

TEST_CASE("replies: an answer that the template declares comes before the word lists", "[content]") {
    const ReplyWords words;
    const DeclaredReplies declared = {{"N", "decline"}, {"Y", "confirm"}, {"恢复", "resume"}};
    CHECK(words.read("n", &declared).kind == ReplyKind::answer);
    CHECK(words.read("Ｎ。", &declared).answer == "decline");
    CHECK(words.read("回复Y", &declared).answer == "confirm");
    CHECK(words.read("恢复", &declared).answer == "resume");
    CHECK(words.read("退订", &declared).kind == ReplyKind::opt_out);
    CHECK(words.read("N").kind == ReplyKind::opt_out);
}

TEST_CASE("replies: configured lists replace the defaults", "[content]") {
    const ReplyWords words{{"ВЫХОД", "00000"}, {"ДА"}};
    CHECK(words.read("выход").kind == ReplyKind::opt_out);
    CHECK(words.read("00000").kind == ReplyKind::opt_out);
    CHECK(words.read("да!").kind == ReplyKind::opt_in);
    CHECK(words.read("STOP").kind == ReplyKind::none);
    CHECK(words.read("退订").kind == ReplyKind::none);
}

TEST_CASE("replies: bytes that are not text, and long texts, are read as nothing", "[content]") {
    const ReplyWords words;
    CHECK(words.read("\xFF\xFE").kind == ReplyKind::none);
    CHECK(words.read(std::string(100'000, 'T')).kind == ReplyKind::none);
    CHECK(normalise_reply(std::string(401, 'a')).empty());
}
