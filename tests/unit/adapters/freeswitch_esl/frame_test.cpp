#include "adapters/freeswitch_esl/frame.hpp"

#include "tests/catch.hpp"

using namespace touchgate::adapters::freeswitch_esl;

TEST_CASE("frame: headers and a body of as many bytes as were announced, not characters", "[freeswitch_esl]") {
    FrameReader reader;
    const std::string body = "张三 ☎";
    reader.feed("Content-Type: api/response\nContent-Length: " + std::to_string(body.size()) + "\n\n" + body + "Content-Type: auth/request\n\n");
    const auto first = reader.next();
    REQUIRE(first);
    CHECK(first->body == body);
    CHECK(first->header("content-type") == "api/response");
    CHECK(first->header("Reply-Text").empty());
    const auto second = reader.next();
    REQUIRE(second);
    CHECK(second->header("Content-Type") == "auth/request");
    CHECK(second->body.empty());
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.broken());
}

TEST_CASE("frame: bytes may come one by one, with carriage returns and empty lines between messages", "[freeswitch_esl]") {
    FrameReader reader;
    const std::string stream = "\n\r\nContent-Type: command/reply\r\nReply-Text: +OK  accepted\r\n\r\n\nContent-Length: 3\nA: b:c\n\nx\ny";
    std::vector<Frame> frames;
    for (const char c : stream) {
        reader.feed({&c, 1});
        while (auto frame = reader.next()) frames.push_back(*std::move(frame));
    }
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].header("Reply-Text") == "+OK  accepted");
    CHECK(frames[1].header("A") == "b:c");
    CHECK(frames[1].body == "x\ny");
}

TEST_CASE("frame: what is no event socket is found out and not read any further", "[freeswitch_esl]") {
    const auto stream = GENERATE(as<std::string>{}, "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", ": no name\n\n", "Content-Length: 99999999999999999999\n\n",
                                 "Content-Length: -5\n\n", "Content-Length: 16777217\n\n", "Content-Length: 5x\n\n", std::string(70'000, 'a'));
    FrameReader reader;
    reader.feed(stream);
    CHECK_FALSE(reader.next());
    CHECK(reader.broken());
    reader.feed("Content-Type: auth/request\n\n");
    CHECK_FALSE(reader.next());
    reader.clear();
    reader.feed("Content-Type: auth/request\n\n");
    CHECK(reader.next());
}
