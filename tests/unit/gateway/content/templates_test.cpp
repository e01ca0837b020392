#include "gateway/content/templates.hpp"

#include <filesystem>
#include <fstream>

#include "gateway/base/text.hpp"
#include "gateway/content/signature.hpp"
#include "gateway/crypto/crypto.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::content;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const Template> parse(const std::string& text, std::vector<Problem>& problems, std::string_view name = "t") {
    return Template::parse(text, name, problems);
}

std::shared_ptr<const Template> good(const std::string& text) {
    std::vector<Problem> problems;
    auto parsed = parse(text, problems);
    for (const auto& problem : problems) UNSCOPED_INFO(problem.pointer + ": " + problem.detail);
    REQUIRE(parsed);
    return parsed;
}

std::string pointers(const std::vector<Problem>& problems) {
    std::string list;
    for (const auto& problem : problems) list += (list.empty() ? "" : " ") + (problem.pointer.empty() ? "(whole)" : problem.pointer);
    return list;
}

std::string rendered(const std::string& source, const Json& variables) {
    const auto text = MessageText::parse(source);
    REQUIRE(text);
    const auto result = text->render(variables);
    if (result) return *result;
    std::string list = "problems:";
    for (const auto& problem : result.error().problems) list += " " + problem.pointer;
    return list;
}

}  // namespace

TEST_CASE("texts: variables are put in without HTML escaping", "[content]") {
    CHECK(rendered("{{a}} & {{{b}}} {{&c}}", {{"a", "<x>&'\""}, {"b", "<"}, {"c", ">"}}) == "<x>&'\" & < >");
    CHECK(rendered("{{#yes}}{{a}}{{/yes}}", {{"a", "<x>&'\""}, {"yes", true}}) == "<x>&'\"");
    CHECK(rendered("{{n}} {{f}} {{b}} {{ spaced }}", {{"n", 42}, {"f", 1.5}, {"b", true}, {"spaced", "s"}}) == "42 1.5 true s");
    CHECK(rendered("{{a.b}}", {{"a", {{"b", "deep"}}}}) == "deep");
    CHECK(rendered("single { brace } 【品牌】{{! a comment }}!", Json::object()) == "single { brace } 【品牌】!");
    CHECK(rendered("{{a}}", {{"a", ""}}).empty());
}

TEST_CASE("texts: a missing variable is an error that names it, never an empty string", "[content]") {
    CHECK(rendered("{{name}}, {{place}} {{name}}", {{"place", nullptr}}) == "problems: /variables/name /variables/place");
    CHECK(rendered("{{a.b}}", {{"a", {{"c", 1}}}}) == "problems: /variables/a.b");
    CHECK(rendered("{{a}}", {{"a", {1, 2}}}) == "problems: /variables/a");
    CHECK(rendered("{{#yes}}{{name}}{{/yes}}", {{"yes", true}}) == "problems: /variables/name");
    CHECK(rendered("{{a}}", Json{}) == "problems: /variables/a");
    CHECK(rendered("{{#yes}}{{o}}{{/yes}}", {{"yes", true}, {"o", Json::object()}}) == "problems: /variables/o");
}

TEST_CASE("texts: a section asks whether its variable is there", "[content]") {
    const std::string greeting = "{{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}}!";
    CHECK(rendered(greeting, {{"name", "王芳"}}) == "Dear 王芳!");
    CHECK(rendered(greeting, Json::object()) == "Hello!");
    CHECK(rendered(greeting, {{"name", nullptr}}) == "Hello!");
    CHECK(rendered("{{#items}}{{n}}x{{what}};{{/items}}", {{"what", "t"}, {"items", {{{"n", 1}}, {{"n", 2}}}}}) == "1xt;2xt;");
    CHECK(rendered("{{#items}}{{.}},{{/items}}", {{"items", {"a", "b"}}}) == "a,b,");
    CHECK(rendered("{{#vip}}{{flag}}{{/vip}}", {{"vip", true}, {"flag", false}}) == "false");
}

TEST_CASE("texts: a text with and without sections renders the same", "[content]") {
    const Json variables = {{"name", "A&B"}, {"n", 3}, {"yes", true}};
    for (const std::string source : {"【品牌】{{name}}，{{n}} 件", "a {{name}}\n b {{n}}\r\n", "{{name}}"})
        CHECK(rendered(source, variables) == rendered(source + "{{#yes}}{{/yes}}", variables));
}

TEST_CASE("texts: what cannot be rendered is refused when it is read", "[content]") {
    const auto source = GENERATE(as<std::string>{}, "{{name", "{{{name}}", "{{}}", "{{ }}", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}",
                                 "{{#a}}{{#b}}{{/a}}{{/b}}", "{{>partial}}", "{{=<% %>=}}", "{{first name}}", "\xFF",
                                 "{{#a}}{{#b}}{{#c}}{{#d}}{{#e}}{{#f}}{{#g}}{{#h}}{{#i}}{{/i}}{{/h}}{{/g}}{{/f}}{{/e}}{{/d}}{{/c}}{{/b}}{{/a}}");
    INFO(source);
    CHECK_FALSE(MessageText::parse(source));
}

TEST_CASE("texts: a rendering has limits", "[content]") {
    CHECK_FALSE(MessageText::parse(std::string(text_source_bytes_max + 1, 'a')));
    CHECK(rendered("{{a}}{{a}}", {{"a", std::string(40'000, 'x')}}) == "problems: ");
    CHECK(rendered("{{#l}}{{#l}}{{#l}}x{{/l}}{{/l}}{{/l}}", {{"l", Json(std::vector<int>(100, 1))}}) == "problems: ");
}

TEST_CASE("templates: locale, then language, then a sibling, then zh-CN, then en, then any", "[content]") {
    CHECK(choose_locale({"en", "en-GB", "zh-CN"}, "en-gb") == "en-GB");
    CHECK(choose_locale({"en", "zh-CN"}, "en_US") == "en");
    CHECK(choose_locale({"en-US", "zh-CN"}, "en-GB") == "en-US");
    CHECK(choose_locale({"de", "en", "zh-CN"}, "fr") == "zh-CN");
    CHECK(choose_locale({"de", "en"}, "fr") == "en");
    CHECK(choose_locale({"de", "it"}, "") == "de");
    CHECK(choose_locale({"zh-TW", "en"}, "zh-CN") == "zh-TW");
    CHECK(choose_locale({}, "en").empty());
}

TEST_CASE("templates: the account's entry comes before its adapter's, the approved wording before the channel's", "[content]") {
    const auto offer = good(R"({"name":"t","channels":{"sms":{"zh-CN":{"text":"自由 {{name}}"}}},
        "providers":{"cloud":{"template_code":"A1","params":{"name":"{{name}}"},"text":"【签】批准 {{name}}"},"cloud-2":{"template_code":"B1","params":["{{name}}","{{code}}"]}}})");
    const Json variables = {{"name", "王"}, {"code", "7"}};
    const auto free_text = *offer->render({.channel = "sms", .account = "x", .adapter = "smpp", .locale = ""}, variables);
    CHECK(free_text.text == "自由 王");
    CHECK(free_text.template_code.empty());
    CHECK(free_text.locale == "zh-CN");
    const auto by_adapter = *offer->render({.channel = "sms", .account = "cloud-1", .adapter = "cloud", .locale = ""}, variables);
    CHECK(by_adapter.template_code == "A1");
    CHECK(by_adapter.text == "【签】批准 王");
    CHECK(by_adapter.params == std::vector<std::pair<std::string, std::string>>{{"name", "王"}});
    const auto by_account = *offer->render({.channel = "sms", .account = "cloud-2", .adapter = "cloud", .locale = ""}, variables);
    CHECK(by_account.template_code == "B1");
    CHECK(by_account.text == "自由 王");
    CHECK(by_account.params == std::vector<std::pair<std::string, std::string>>{{"1", "王"}, {"2", "7"}});
    const auto nowhere = offer->render({.channel = "wecom", .account = "w", .adapter = "wecom", .locale = ""}, variables);
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().problems[0].pointer == "/template");
    const auto missing = offer->render({.channel = "sms", .account = "cloud-2", .adapter = "cloud", .locale = ""}, Json::object());
    REQUIRE_FALSE(missing);
    CHECK(pointers(missing.error().problems) == "/variables/name /variables/code");
}

TEST_CASE("templates: numbered params keep their numeric order", "[content]") {
    const auto ten = good(R"({"name":"t","providers":{"p":{"template_code":"A","params":{"10":"j","2":"b","1":"a"}}}})");
    const auto message = *ten->render({.channel = "sms", .account = "p", .adapter = "", .locale = ""}, Json::object());
    CHECK(message.params == std::vector<std::pair<std::string, std::string>>{{"1", "a"}, {"2", "b"}, {"10", "j"}});
}

TEST_CASE("templates: provider-shaped content is rendered in its strings only", "[content]") {
    const auto shaped = good(
        R"({"name":"t","channels":{"official_account":{"zh-CN":{"template_message":{"template_id":"X","data":{"first":{"value":"{{name}}"},"n":1},"list":["{{n}}","b"]}}}}})");
    const auto message = *shaped->render({.channel = "official_account", .account = "", .adapter = "", .locale = ""}, {{"name", "a\"b"}, {"n", 2}});
    CHECK(message.text.empty());
    CHECK(Json::parse(message.body_json) ==
          Json::parse(R"({"template_message":{"template_id":"X","data":{"first":{"value":"a\"b"},"n":1},"list":["2","b"]}})"));
}

TEST_CASE("templates: every problem of a document is reported with its pointer", "[content]") {
    std::vector<Problem> problems;
    CHECK_FALSE(
        parse(R"({"name":"other","channels":{"sms":{"zh-CN":{"text":"{{a"},"en":{"text":5},"de":{},"fr":{"text":""},"it":{"image":3}},"wecom":{}},
        "providers":{"p":{"params":3},"q":"x"},"purposes":[1],"filings":[{"status":"ok","valid_from":"2026-02-02T00:00:00Z","valid_until":"2026-01-01T00:00:00Z"}],
        "replies":{"N":1,"。":"x"},"surplus":1})",
              problems));
    CHECK(pointers(problems) ==
          "/name /channels/sms/de /channels/sms/en/text /channels/sms/fr/text /channels/sms/it/image /channels/sms/zh-CN/text /channels/wecom "
          "/providers/p/params /providers/p /providers/q /purposes/0 /filings/0/account /filings/0/status /filings/0/valid_until /replies/N "
          "/replies/。 /surplus");
    problems.clear();
    CHECK_FALSE(parse("{}", problems));
    CHECK(pointers(problems) == "(whole)");
    problems.clear();
    CHECK_FALSE(parse("[1]", problems));
    CHECK_FALSE(problems.empty());
    problems.clear();
    CHECK_FALSE(parse("{", problems));
    CHECK(pointers(problems) == "(whole)");
}

TEST_CASE("templates: purposes and filings decide who may use it, and until when", "[content]") {
    const auto filed = good(R"({"name":"t","channels":{"sms":{"en":{"text":"x"}}},"purposes":["marketing"],"filings":[
        {"account":"a","carrier":"cmcc","signature":"S","template_id":"1","status":"approved","valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-07-01T00:00:00Z"},
        {"account":"b","status":"pending"}]})");
    const auto at = [](const char* text) { return parse_instant(text).value(); };
    CHECK(filed->serves("marketing"));
    CHECK_FALSE(filed->serves("service"));
    CHECK(filed->filed_for("a", "cmcc", at("2026-01-01T00:00:00Z")));
    CHECK(filed->filed_for("a", "", at("2026-06-30T23:59:59.999Z")));
    CHECK_FALSE(filed->filed_for("a", "cucc", at("2026-02-01T00:00:00Z")));
    CHECK_FALSE(filed->filed_for("a", "cmcc", at("2026-07-01T00:00:00Z")));
    CHECK_FALSE(filed->filed_for("b", "cmcc", at("2026-02-01T00:00:00Z")));
    CHECK(filed->filings_ending(at("2026-06-15T00:00:00Z"), 30 * 24h).size() == 1);
    CHECK(filed->filings_ending(at("2026-03-15T00:00:00Z"), 30 * 24h).empty());
    CHECK(good(R"({"name":"t","channels":{"sms":{"en":{"text":"x"}}}})")->filed_for("any", "", at("2026-02-01T00:00:00Z")));
}

TEST_CASE("templates: the hash is of the bytes, and old versions stay findable by it", "[content]") {
    const std::string bytes = R"({"name":"t","channels":{"sms":{"en":{"text":"x"}}}})";
    const auto first = good(bytes);
    const auto second = good(bytes + "\n");
    CHECK(first->hash() == to_hex(crypto::view(crypto::sha256(bytes))));
    CHECK(first->hash() != second->hash());
    TemplateStore store;
    store.add(first);
    store.add(second);
    CHECK(store.find("t") == second);
    CHECK(store.find_version(first->hash()) == first);
    CHECK(store.find("u") == nullptr);
}

TEST_CASE("templates: a folder is read whole, every file's problems are listed, old versions survive a reload", "[content]") {
    const auto folder = std::filesystem::temp_directory_path() / "touchgate-template-store-test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const auto write = [&](const char* name, std::string_view text) { std::ofstream{folder / name} << text; };
    write("a.json", R"({"name":"a","channels":{"sms":{"en":{"text":"one"}}},"providers":{"cloud":{"template_code":"C1"}}})");
    write("b.json", "{ not json");
    write("c.json", R"({"name":"z","channels":{"sms":{"en":{"text":"{{"}}}})");
    write("template.schema.json", "{}");
    write("notes.txt", "no");
    std::vector<FileProblems> problems;
    const auto store = TemplateStore::load(folder, problems);
    CHECK(store.names() == std::vector<std::string>{"a"});
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].file == (folder / "b.json").string());
    CHECK(pointers(problems[1].problems) == "/name /channels/sms/en/text");
    CHECK(store.find_code("C1", "x", "cloud") == store.find("a"));
    CHECK(store.find_code("C1", "x", "other") == nullptr);
    const auto old_hash = store.find("a")->hash();
    write("a.json", R"({"name":"a","channels":{"sms":{"en":{"text":"two"}}}})");
    problems.clear();
    const auto reloaded = TemplateStore::load(folder, problems, &store);
    CHECK(reloaded.find("a")->hash() != old_hash);
    CHECK(reloaded.find_version(old_hash) != nullptr);
    std::filesystem::remove_all(folder);
    problems.clear();
    CHECK(TemplateStore::load(folder, problems).names().empty());
    CHECK(problems.size() == 1);
}

TEST_CASE("templates: the shipped ones are sound, signed, and marketing says how to opt out", "[content]") {
    std::vector<FileProblems> problems;
    const auto store = TemplateStore::load(std::filesystem::path{TOUCHGATE_SOURCE_DIR} / "templates", problems);
    for (const auto& file : problems) UNSCOPED_INFO(file.file + " " + pointers(file.problems));
    REQUIRE(problems.empty());
    REQUIRE(store.find("welcome"));
    const auto offer = store.find("double11-offer");
    REQUIRE(offer);
    const auto chinese = offer->render({.channel = "sms", .account = "a", .adapter = "smpp", .locale = "zh-CN"}, {{"name", "王芳"}});
    REQUIRE(chinese);
    CHECK(chinese->text == "【触达示例】王芳，双11会员专享价今晚8点开始，详情见小程序。拒收请回复R");
    const auto english = offer->render({.channel = "sms", .account = "a", .adapter = "smpp", .locale = "en"}, Json::object());
    REQUIRE(english);
    CHECK(english->text.find("Reply R to opt out") != std::string::npos);
    for (const auto& name : store.names()) CHECK_FALSE(store.find(name)->bytes().empty());
}

TEST_CASE("signatures: counted once, sent once", "[content]") {
    CHECK(signature_of("【品牌】你好") == "品牌");
    CHECK(signature_of("你好【品牌】") == "品牌");
    CHECK(signature_of("你好").empty());
    CHECK(signature_of("【没有").empty());
    CHECK(with_signature("你好", "品牌") == "【品牌】你好");
    CHECK(with_signature("【品牌】你好", "品牌") == "【品牌】你好");
    CHECK(with_signature("你好", "") == "你好");
    CHECK(text_to_send("你好", "品牌", SignatureMode::in_text) == "【品牌】你好");
    CHECK(text_to_send("【品牌】你好", "品牌", SignatureMode::by_provider) == "你好");
    CHECK(text_to_send("你好【品牌】", "品牌", SignatureMode::by_provider) == "你好");
    CHECK(text_to_send("【别家】你好", "品牌", SignatureMode::by_provider) == "【别家】你好");
}
