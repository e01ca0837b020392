// What callers ask of the engine: values that were parsed, validated for form and normalised before they get here (phones are E.164,
// times are instants). The engine checks what needs its state: does the contact, campaign, template, channel exist.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"
#include "gateway/channel/submission.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/dispatch/cascade.hpp"
#include "gateway/policy/inputs.hpp"

namespace touchgate {

// Kinds of addresses. Numbers are written to the log.
enum class AddressKind : std::uint8_t { phone = 1, external_userid, openid, chat_id };

// By which kind of address contacts are reached on a channel.
[[nodiscard]] constexpr AddressKind address_kind_of(std::string_view channel) {
    if (channel == "official_account" || channel == "mini_program") return AddressKind::openid;
    if (channel == "wecom_group") return AddressKind::chat_id;
    if (channel == "wecom" || channel == "wecom_kf" || channel == "moments" || channel == "wecom_app") return AddressKind::external_userid;
    return AddressKind::phone;
}

// One form of address. `value` is E.164 for phones; `account` only for openids.
struct Address {
    AddressKind kind = AddressKind::phone;
    std::string value;
    std::string account = {};
    auto operator<=>(const Address&) const = default;
};

// A contact, named by its id or by one of its addresses.
struct ContactRef {
    std::string id = {};              // set: by id
    std::optional<Address> address = {};
};

struct TouchContent {
    std::string text = {};            // literal, or mustache if `text_is_template`
    bool text_is_template = false;
    std::string template_code = {};
    std::vector<std::pair<std::string, std::string>> params = {};
    std::string body_json = {};       // channel-shaped content (template_message, voice …), verbatim
};

using Variables = std::vector<std::pair<std::string, std::string>>;  // sorted by name
using Metadata = std::map<std::string, std::string, std::less<>>;

struct TouchRequest {
    std::string key = {};             // idempotency key, may be empty
    crypto::Hash128 body_hash = {};   // of the parsed touch before defaults, variables unordered; equal bodies are equal hashes
    ContactRef contact;
    std::string purpose;
    std::string campaign = {};
    std::vector<std::string> channels = {};  // channels or accounts, in order of preference
    std::vector<dispatch::StepTerms> steps = {};  // of `channels`, at the same places; empty: no steps were given
    bool cheapest_first = false;      // among the accounts that may take its place: of the touch, or of each step
    std::string template_name = {};
    Variables variables = {};
    TouchContent content = {};
    int priority = 50;                // 0 to 100, higher first
    std::optional<Instant> not_before = {};
    std::optional<Instant> expires_at = {};
    std::optional<Duration> fallback_after = {};
    bool at_least_once = false;
    bool fallback_on_unknown = false;
    std::string unit = {};
    Metadata metadata = {};
    std::string callback = {};
    std::string key_name = {};        // of the API key that posted it
    policy::Origin origin = policy::Origin::api;
    Uuid interaction = {};            // an answer in this conversation; nil: none
};

// Something asked of an account beside sending, see channel::Operation; its fields have been checked.
struct OperationRequest {
    std::string account, name;
    std::string body_json;            // an object, without the key
    std::string key = {};             // idempotency key, may be empty
    crypto::Hash128 body_hash = {};
    std::string by = {};              // name of the API key
    bool changes = true;
};

struct InteractionQuery {
    std::string state = {}, queue = {}, contact = {}, channel = {}, account = {}, agent = {};  // empty: any
    Uuid after = {};
    std::size_t limit = 100;
};

// Which touches of a caller may be touched: everything when empty.
struct CancelFilter {
    std::string campaign = {};
    std::optional<ContactRef> contact = {};
    std::string key_prefix = {};
    Metadata metadata = {};
    std::string unit = {};
};

using AttributeMap = std::map<std::string, policy::AttributeValue, std::less<>>;

// A contact as written by a caller. Absent members are not changed by a patch and emptied by a replacement.
struct ContactInput {
    std::optional<std::vector<Address>> addresses = {};  // of the kinds named in `address_kinds`
    std::vector<AddressKind> address_kinds = {};         // which lists of addresses the caller gave (phones, external_userids, openids)
    std::optional<std::string> name = {};
    std::optional<std::vector<std::string>> unionids = {};
    std::optional<std::string> locale = {};
    std::optional<std::string> time_zone = {};           // valid IANA name
    std::optional<std::vector<std::string>> tags = {};
    std::optional<AttributeMap> attributes = {};         // a patch merges member by member
    std::vector<std::string> attributes_removed = {};    // patch: members set to null
    std::optional<std::string> owner = {};
    std::optional<std::string> unit = {};
    std::optional<bool> legal_hold = {};
};

enum class OnConflict : std::uint8_t { reject = 1, merge, share, move };

struct ConsentInput {
    std::string channel;   // or "*"
    std::string purpose;   // or "*"
    bool granted = false;
    std::string source = {};
    std::string evidence = {};
    std::string unit = {};
    std::string notice_version = {};
    std::optional<Instant> at = {};
    bool from_bulk = false;  // never ends a withdrawal
};

struct SuppressionInput {
    std::string list;
    std::optional<Address> address = {};
    std::string phone_hash = {};          // raw digest bytes, with `hash_algorithm`
    std::string hash_algorithm = {};      // "md5", "sha256", "sm3"
    std::string reason = {};
    std::string source = {};
    std::string evidence = {};
    std::string by = {};
    std::optional<Instant> expires_at = {};
    std::optional<Instant> at = {};
    std::vector<std::string> channels = {};
    std::vector<std::string> purposes = {};
};

// A new campaign; also what a touch's `campaign` must name.
struct CampaignInput {
    std::string id;
    std::string purpose = {};
    std::string unit = {};
    std::string definition_json;          // the whole document, verbatim
    crypto::Hash128 body_hash = {};
    double holdout = 0;
    std::string rate = {};
};

// One line of a campaign's audience.
struct AudienceLine {
    ContactRef contact;
    Variables variables = {};
    std::string arm = {};   // given by the caller: an arm's name or "holdout"; empty: by the hash
    std::string item = {};  // what of several touches to one contact this is about
};

struct HoldInput {
    std::vector<std::string> purposes = {}, channels = {}, units = {}, accounts = {};
    std::string reason = {};
    std::optional<Instant> until = {};
};

enum class InboundKind : std::uint8_t { message = 1, opt_out, opt_in, follow, unfollow, receipt, complaint, ticket_opened, ticket_closed, call };

struct InboundInput {
    std::string key;                      // deduplication id
    std::string channel;
    std::string account = {};
    ContactRef contact;
    InboundKind kind = InboundKind::message;
    std::string ref = {};
    std::string source = {};
    std::vector<std::string> channels = {};
    std::vector<std::string> purposes = {};
    std::string text = {};
    std::string receipt_status = {};
    std::string queue = {};               // of the interaction that a message opens; empty: the account's
    std::optional<int> priority = {};
    std::optional<Instant> at = {};
    std::optional<Instant> until = {};
};

struct ConversionInput {
    std::string key;
    ContactRef contact;
    std::string kind;
    std::int64_t value_cents = 0;
    std::string currency = "CNY";
    std::optional<Instant> at = {};
};

}  // namespace touchgate
