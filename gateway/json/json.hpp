// JSON outside the hot intake: parsing (comments allowed where people write files), and a reader that turns an object into typed values
// and collects every problem with its pointer instead of stopping at the first.
#pragma once

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"

namespace touchgate {

using Json = nlohmann::json;

// Strict JSON of a request body: no comments, no duplicate object keys, valid UTF-8, nesting of at most 64. Error kind: malformed, with line and column.
[[nodiscard]] Result<Json> parse_json(std::string_view text);
// A file written by people: // and /* */ comments allowed, the rest as above.
[[nodiscard]] Result<Json> parse_json_with_comments(std::string_view text);

// One more step of an RFC 6901 pointer; escapes ~ and /.
[[nodiscard]] std::string pointer_to(const std::string& parent, std::string_view key);
[[nodiscard]] std::string pointer_to(const std::string& parent, std::size_t index);

struct TextLimits {
    std::size_t bytes_min;
    std::size_t bytes_max;
};

// Reads one JSON object. Every accessor marks its key as known, reports what is wrong into the shared list and returns the fallback.
// A key that is absent or null is "absent". Call `finish` at the end: keys that nobody asked for become problems, each named.
// Does not own the value or the problem list; both must outlive it. Not thread-safe.
class JsonReader {
public:
    JsonReader(const Json& value, std::string pointer, std::vector<Problem>& problems);

    [[nodiscard]] bool has(std::string_view key) const;
    // The value itself, or null when absent.
    const Json* raw(std::string_view key);

    std::string required_text(std::string_view key, TextLimits limits = {1, 1'000});
    std::string text(std::string_view key, std::string fallback = {}, TextLimits limits = {0, 1'000});
    // One of `allowed`; the problem lists them.
    std::string choice(std::string_view key, std::initializer_list<std::string_view> allowed, std::string fallback);
    std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback = {});
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                         std::int64_t max = std::numeric_limits<std::int64_t>::max());
    double number(std::string_view key, double fallback, double min = std::numeric_limits<double>::lowest(),
                  double max = std::numeric_limits<double>::max());
    bool boolean(std::string_view key, bool fallback);
    Duration duration(std::string_view key, Duration fallback, Duration min = Duration{0}, Duration max = Duration::max());
    std::optional<Instant> instant(std::string_view key);

    // A reader of the nested object, or nothing when absent or not an object (a problem then).
    std::optional<JsonReader> object(std::string_view key);
    // Calls `each` with a reader of every element; an element that is not an object is a problem.
    void objects(std::string_view key, const std::function<void(JsonReader&, std::size_t index)>& each);
    // Calls `each` for every member of the nested object.
    void members(std::string_view key, const std::function<void(const std::string& name, const Json& value, const std::string& pointer)>& each);

    void problem(std::string_view key, std::string detail);   // at key
    void problem_here(std::string detail);                    // at this object
    void finish();
    [[nodiscard]] const std::string& pointer() const { return pointer_; }
    [[nodiscard]] std::vector<Problem>& problems() { return *problems_; }
    [[nodiscard]] const Json& value() const { return *value_; }

private:
    const Json* value_;
    std::string pointer_;
    std::vector<Problem>* problems_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace touchgate
