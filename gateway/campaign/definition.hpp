// What a campaign is, as its caller defined it: read once from the JSON document, immutable from then on. Pure.
//
// The document is kept verbatim in the log (campaign.created); the gateway reads it again at every start, so whatever was once accepted
// must stay readable.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/dispatch/cascade.hpp"
#include "gateway/dispatch/rate.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::campaign {

// Shapes of content that go to a channel as they are, by the member of `content` that holds them.
inline constexpr std::array<std::string_view, 22> shaped_content = {
    "image", "video", "file", "music", "news", "mpnews", "mpnewsarticle", "msgmenu", "wxcard", "link", "miniprogram", "miniprogrampage", "template_message",
    "subscribe_message", "mass", "voice", "markdown", "textcard", "template_card", "attachments", "visible_range", "response_code"};
// How many forms content has that must have one. Attachments and their kin go with a text or another form as one message, or stand alone.
[[nodiscard]] std::size_t forms_of(bool has_text, bool has_template_code, const Json& shaped);
// May this member of a content have this value?
[[nodiscard]] bool is_shaped_value(std::string_view word, const Json& value);

// One of the forms that a touch's `content` may have. A text is a mustache template over the recipient's variables.
struct Content {
    std::string text, template_code, body_json;
    std::vector<std::pair<std::string, std::string>> params;
    [[nodiscard]] bool empty() const { return text.empty() && template_code.empty() && body_json.empty(); }
};

// One variant of an experiment; without a template or content of its own it uses the campaign's.
struct Arm {
    std::string name;
    double share = 0;
    std::string template_name;
    Content content;
};
inline constexpr std::size_t arms_max = 100;
// The name that a given arm must have to put a recipient into the control group; no arm may be called so.
inline constexpr std::string_view holdout_arm = "holdout";

// When is a line of the audience the same recipient as an earlier one?
enum class Dedupe : std::uint8_t { contact = 1, address, item };

// What a recipient may do that ends the campaign for this recipient.
struct StopOn {
    bool conversion = false, reply = false, complaint = false;
    [[nodiscard]] bool any() const { return conversion || reply || complaint; }
};

// What pauses the whole campaign. Rates are shares from 0 to 1 of the permits since the last start or resume, looked at from `after` permits on.
struct StopWhen {
    std::optional<double> error_rate, complaint_rate;
    std::optional<std::int64_t> budget_micro;  // of the accounts' currency
    std::uint64_t after = 100;
};

struct Definition {
    std::string id, name, purpose, unit, template_name;
    Content content;
    std::vector<std::string> channels;
    std::vector<dispatch::StepTerms> steps;  // of `channels`, at the same places; empty: no steps were given
    bool cheapest_first = false;
    int priority = 50;
    std::optional<Instant> from, to;
    std::string daily_json;  // the entries `open` of a policy's hours rule in the contact's zone; empty: always open
    std::optional<dispatch::Rate> rate;
    double holdout = 0;
    std::vector<Arm> arms;
    bool open_audience = false;
    Dedupe dedupe = Dedupe::contact;
    std::vector<std::string> exclude_lists, exclude_campaigns, exclude_tags;
    StopOn stop_on;
    StopWhen stop_when;
    std::vector<std::pair<std::string, std::string>> variables;  // of every recipient; a line's own go before them
    std::optional<Duration> fallback_after;
    bool at_least_once = false, fallback_on_unknown = false;
    std::string callback;
    std::string dialing_json;  // how it dials, as dialing/plan.hpp reads it; empty: it sends messages

    // Template and content of a variant; `arm` may lie behind the last (no arms).
    [[nodiscard]] const std::string& template_of(std::size_t arm) const;
    [[nodiscard]] const Content& content_of(std::size_t arm) const;
    // Does it say what to send?
    [[nodiscard]] bool has_content() const;
    // Allowed touches that may wait for their permit at one time: 10 s of the rate, at least 1,000, never over 10,000.
    [[nodiscard]] std::size_t reservations_max() const;
};

// Reads the document; what is wrong goes into the reader's problems, each with its pointer.
[[nodiscard]] Definition read_definition(JsonReader& body);
// The definition in a document that was accepted once. Unknown members are ignored; `params` keep the order of the document.
[[nodiscard]] Definition parse_definition(std::string_view document);

}  // namespace touchgate::campaign
