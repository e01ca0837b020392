// What the configuration of an http_sms account says, read and checked in one go: every wrong or unknown field is named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/http_sms/text_template.hpp"
#include "gateway/channel/adapter.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::http_sms {

enum class Encoding { json, form, query };

// The body as configured, its texts parsed. A form or query has one level of members.
struct BodyNode {
    enum class Kind { text, literal, object, array } kind = Kind::object;
    std::string name;               // of a member of an object
    TextTemplate text;              // text
    std::string literal;            // JSON of a number, true, false or null
    std::vector<BodyNode> members;  // object, array
};

struct RequestSettings {
    std::string method = "POST";
    channel::BaseUrl base;
    TextTemplate path;  // after the base, with its query if it has one; begins with '/'
    std::vector<std::pair<std::string, TextTemplate>> headers;
    Encoding encoding = Encoding::json;
    BodyNode body;
};

struct SignSettings {
    enum class Algorithm { none, hmac_sha256, hmac_sha1, sha256, md5 } algorithm = Algorithm::none;
    enum class TextForm { hex, upper_hex, base64 } form = TextForm::hex;
    enum class Place { header, query, body } place = Place::header;
    TextTemplate input;
    std::string key;   // of an HMAC; in the input as {{key}}
    std::string name;  // of the header, query parameter or member of the body
};

// A place in JSON: the steps of an RFC 6901 pointer. Forms and texts are seen as JSON: an object of texts, an array of texts.
using Pointer = std::vector<std::string>;

struct Meaning {
    channel::OutcomeKind kind = channel::OutcomeKind::refused;
    std::optional<Duration> retry_after;
    std::string scope;
    std::string field;
};

struct AcceptSettings {
    enum class Format { json, form, text } format = Format::json;
    std::string separator = ",";  // text
    std::vector<int> ok_statuses = {200};
    std::optional<Pointer> ok_pointer;
    std::vector<std::string> ok_values;  // empty: the place must be there
    std::optional<Pointer> id;
    std::optional<Pointer> code;
    std::vector<std::pair<std::string, Meaning>> errors;  // "ISV.*" stands for all codes that begin so
    std::map<int, Meaning> statuses;
    channel::OutcomeKind other_codes = channel::OutcomeKind::refused;
};

enum class TimeForm { unix_seconds, unix_ms, rfc3339, local, compact };

struct HookSettings {
    std::string token;  // last step of the hook's path
    bool is_form = false;
    std::optional<Pointer> list;  // where the entries are: an array, or one entry
    std::optional<Pointer> id;
    std::optional<Pointer> to;
    std::optional<Pointer> at;
    TimeForm at_form = TimeForm::unix_seconds;
    int answer_status = 200;
    std::string answer_type = "text/plain";
    std::string answer_body = "OK";
};

struct ReceiptSettings : HookSettings {
    std::optional<Pointer> attempt_id;
    Pointer status;
    std::map<std::string, channel::ReceiptStatus> map;
    channel::ReceiptStatus other = channel::ReceiptStatus::failed;
};

struct MessageSettings : HookSettings {
    Pointer from;
    Pointer text;
};

struct Settings {
    std::map<std::string, std::string> values;  // {{values.NAME}}
    std::string from;
    std::string country_code;  // without '+': of national numbers
    Duration utc_offset{};     // of local times that the provider writes and reads
    Duration timeout{10'000};
    int window = 32;
    std::size_t text_characters_max = 0;
    bool idempotent = false;  // the provider takes each {{attempt_id}} once
    RequestSettings request;
    SignSettings sign;
    AcceptSettings accept;
    std::optional<ReceiptSettings> receipt;
    std::optional<MessageSettings> message;
    bool takes_text = false;
    bool takes_template_code = false;
};

[[nodiscard]] Settings read_settings(JsonReader& reader, const channel::AccountContext& context);

}  // namespace touchgate::adapters::http_sms
