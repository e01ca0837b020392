// Every file under policies/ and calendars/: it follows its schema, it compiles, and all its cases come out as they say.
#include <filesystem>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

namespace fs = std::filesystem;

const fs::path source{TOUCHGATE_SOURCE_DIR};

std::vector<fs::path> documents(const char* folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator{source / folder})
        if (entry.path().extension() == ".json" && !entry.path().string().ends_with(".schema.json")) found.push_back(entry.path());
    return found;
}

std::string schema_faults(const fs::path& schema_file, const Json& document) {
    const auto schema_document = json_of(read_text_file(schema_file));
    valijson::Schema schema;
    valijson::SchemaParser parser;
    const valijson::adapters::NlohmannJsonAdapter schema_adapter{schema_document};
    parser.populateSchema(schema_adapter, schema);
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter adapter{document};
    if (validator.validate(schema, adapter, &results)) return {};
    std::string text = "invalid";
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        text += "\n";
        for (const auto& step : error.context) text += step;
        text += " " + error.description;
    }
    return text;
}

Result<Json> load_policy(std::string_view name) { return json_of(read_text_file((source / "policies" / (std::string{name} + ".json")).string())); }

}  // namespace

TEST_CASE("shipped policies: each follows the schema, compiles and passes its own cases", "[policy][shipped]") {
    const auto files = documents("policies");
    REQUIRE(files.size() >= 4);
    for (const auto& file : files) {
        INFO(file);
        const auto document = json_of(read_text_file(file));
        CHECK(schema_faults(source / "policies/policy.schema.json", document) == "");
        CHECK(document["name"] == file.stem().string());
        CHECK(document.contains("title"));
        std::vector<Problem> warnings;
        CHECK(problems_of(document, load_policy, &warnings).empty());
        CHECK(warnings.empty());
        const auto results = run_cases(document, {.calendars = test_calendars(), .include = load_policy});
        REQUIRE(results.has_value());
        for (const auto& result : *results) {
            INFO(result.name << ": " << Json(result.differences).dump() << "\n" << result.decision.dump(1));
            CHECK(result.passed);
        }
    }
}

TEST_CASE("shipped calendars: each follows the schema and parses", "[policy][shipped]") {
    for (const auto& file : documents("calendars")) {
        INFO(file);
        const auto document = json_of(read_text_file(file));
        CHECK(schema_faults(source / "calendars/calendar.schema.json", document) == "");
        CHECK(parse_calendar(document, file.stem().string()).has_value());
    }
}

TEST_CASE("shipped schema: refuses what the compiler refuses", "[policy][shipped]") {
    const auto rule =
        GENERATE(R"({"name": "R", "kind": "consent"})", R"({"name": "r", "kind": "wish"})", R"({"name": "r", "kind": "cap", "max": 1, "per": "P1M"})",
                 R"({"name": "r", "kind": "cap", "max": 1, "per": "P1D", "colour": 1})", R"({"name": "r", "kind": "exemption", "waives": ["*"]})",
                 R"({"name": "r", "kind": "consent", "when": {"unknown": 1}})");
    const auto document = json_of(R"({"name": "p", "rules": [)" + std::string{rule} + "]}");
    INFO(rule);
    CHECK(schema_faults(source / "policies/policy.schema.json", document) != "");
    CHECK_FALSE(problems_of(document).empty());
}

TEST_CASE("cases: a case that does not come out as it says names what differs", "[policy][shipped]") {
    const auto document = json_of(
        R"({"name": "p", "rules": [], "cases": [{"name": "wrong", "now": "2026-11-23T02:00:00Z", "touch": {"purpose": "marketing", "channels": ["sms"]},
        "expect": {"verdict": "deny", "rule": "cap"}}]})");
    const auto results = run_cases(document, {.calendars = test_calendars()});
    REQUIRE(results.has_value());
    CHECK_FALSE(results->front().passed);
    CHECK(results->front().differences == std::vector<std::string>{"verdict: expected deny, got allow", "rule: expected cap, got null"});
}
