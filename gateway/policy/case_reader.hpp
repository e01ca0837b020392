// A case of a policy document as it is written, read into plain values. For cases.cpp alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/json/json.hpp"
#include "gateway/policy/inputs.hpp"

namespace touchgate::policy::cases {

struct Names {
    std::string purpose, channel, account, campaign, unit, template_name;
};

struct ConsentRecord {
    std::string channel, purpose, unit;
    bool granted = false;
    bool may_regrant = false;  // has evidence and comes from a source that may end a withdrawal
    Instant at{};
};

struct ListRecord {
    std::string list;
    Instant expires_at = instant_never;
    std::vector<std::string> channels, purposes;
};

using Attributes = std::map<std::string, AttributeValue, std::less<>>;

// Cost and labels of an attempt or of the touch in hand.
struct Facts {
    std::int64_t cost_micros = 0;
    std::string currency = "CNY";
    std::string caller_id, list;
    std::optional<std::string> region;       // absent: of the case's address
    std::optional<Attributes> attributes;    // absent: of the case's contact
    std::map<std::string, std::string, std::less<>> metadata;
};

struct ActRecord {
    Instant at{};
    std::string event, kind, channel;
};

struct Attempt {
    Names names;
    Facts facts;
    Instant at{};
    Slot slot = Slot::counted;
    std::uint64_t touch = 0;
    std::uint32_t address = 1;
    std::uint16_t attempt = 1;
    std::uint8_t outcome = 0;
    bool of_other_contact = false;
};

struct Case {
    std::string name;
    Instant now{};
    std::string contact_id = "case";
    std::string time_zone;
    std::vector<ConsentRecord> consents;
    std::vector<std::string> tags;
    std::uint32_t lead_stages = 0;  // bits of lead_stage_words
    Attributes attributes;
    std::vector<ActRecord> acts;
    bool restricted = false;
    bool open_ticket = false;
    Instant last_inbound = Instant::min(), last_complaint = Instant::min(), last_conversation_end = Instant::min(), last_reply = Instant::min();
    std::uint32_t address = 1;
    std::string region, carrier;
    std::vector<std::string> zones;
    std::vector<ListRecord> lists;
    bool gone = false, erased = false, review_pending = false;
    std::vector<Attempt> history;
    std::vector<std::vector<Attempt>> members;
    Facts facts;  // of the touch
    bool predictive = false;
    Names touch;  // the channel is set for each of `channels`
    std::vector<std::string> channels;
    std::uint64_t touch_number = 1;
    Origin origin = Origin::api;
    Instant not_before = Instant::min(), expires_at = instant_never;
    bool held_out = false, template_not_filed = false;
    bool has_text = false;
    std::string text, sign_name;
    int segments = 1;
    std::string verdict;
    std::optional<std::string> rule, until, reason, channel;  // what is expected; "" for null
};

// What is wrong goes to `problems`; the cases are then of no use.
[[nodiscard]] std::vector<Case> parse_cases(const Json& cases, const std::string& pointer, std::vector<Problem>& problems);

}  // namespace touchgate::policy::cases
