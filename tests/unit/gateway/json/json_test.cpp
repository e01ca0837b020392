#include "gateway/json/json.hpp"

#include "tests/catch.hpp"

using namespace touchgate;

TEST_CASE("json: what is no strict JSON is refused with its place, and nothing throws", "[json]") {
    const auto [label, text] = GENERATE(table<std::string, std::string>({
        {"cut off", "{\"a\": "}, {"comment", "{} // no"}, {"trailing comma", "[1,]"}, {"number beyond a double", "[1e999]"}, {"invalid UTF-8", "\"\xC3\x28\""},
        {"two keys of one name", R"({"a":1,"b":{"a":2},"a":3})"}, {"too deep", std::string(100, '[') + std::string(100, ']')}, {"empty", ""}}));
    INFO(label);
    const auto parsed = parse_json(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::malformed);
    CHECK_FALSE(parsed.error().detail.empty());
}

TEST_CASE("json: equal keys in different objects are no duplicates", "[json]") {
    CHECK(parse_json(R"([{"a":1},{"a":2},{"a":{"a":3}}])"));
}

TEST_CASE("json: files written by people may hold comments", "[json]") {
    CHECK(parse_json_with_comments("// first\n{\"a\": 1 /* one */}"));
}

TEST_CASE("reader: every wrong and every unknown member is named with its pointer", "[json]") {
    const auto document = *parse_json(R"({"name": 7, "count": 1.5, "wait": "P1M", "list": ["x", 1], "nested": {"surprise": true}, "a/b": 1})");
    std::vector<Problem> problems;
    JsonReader reader{document, "/root", problems};
    CHECK(reader.required_text("missing").empty());
    CHECK(reader.text("name", "fallback") == "fallback");
    CHECK(reader.integer("count", 3) == 3);
    CHECK(reader.duration("wait", Duration{5}) == Duration{5});
    CHECK(reader.texts("list") == std::vector<std::string>{"x"});
    auto nested = reader.object("nested");
    REQUIRE(nested);
    nested->finish();
    reader.finish();
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    CHECK(pointers == std::vector<std::string>{"/root/missing", "/root/name", "/root/count", "/root/wait", "/root/list/1", "/root/nested/surprise", "/root/a~1b"});
}
