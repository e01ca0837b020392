#include "adapters/wechat/official_codes.hpp"

#include <array>

namespace touchgate::adapters::wechat {

namespace {

using channel::OutcomeKind;

constexpr CodeMeaning of(std::int64_t code, OutcomeKind kind, std::string_view detail) { return {code, code, kind, Wait::none, "", "", detail}; }
constexpr CodeMeaning rejected(std::int64_t first, std::int64_t last, std::string_view field, std::string_view detail) {
    return {first, last, OutcomeKind::content_rejected, Wait::none, "", field, detail};
}
constexpr CodeMeaning limited(std::int64_t code, OutcomeKind kind, Wait wait, std::string_view scope, std::string_view detail) {
    return {code, code, kind, wait, scope, "", detail};
}

// A wrong template or medium is a fault of the touch, not of the account: as `config` one bad template id would stop everyone's messages.
constexpr std::array meanings = std::to_array<CodeMeaning>({
    of(-1, OutcomeKind::not_sent, "the platform is busy"),

    of(40001, OutcomeKind::credentials, "the access token is refused, also a fresh one"),
    of(40014, OutcomeKind::credentials, "the access token is refused, also a fresh one"),
    of(42001, OutcomeKind::credentials, "the access token is refused, also a fresh one"),
    of(41001, OutcomeKind::config, "the request had no access token"),
    of(40002, OutcomeKind::config, "the grant type is wrong"),
    of(40013, OutcomeKind::config, "the app id is unknown"),
    of(41002, OutcomeKind::config, "the app id is missing"),
    of(41004, OutcomeKind::credentials, "the app secret is missing"),
    of(40125, OutcomeKind::credentials, "the app secret is wrong"),
    of(40243, OutcomeKind::credentials, "the app secret is frozen"),
    of(40164, OutcomeKind::config, "the gateway's address is not on the account's list of allowed addresses"),
    of(89503, OutcomeKind::config, "the gateway's address waits for the confirmation of the account's administrator"),

    of(40003, OutcomeKind::recipient_invalid, "no such openid for this account"),
    of(41009, OutcomeKind::recipient_invalid, "the openid is missing"),
    of(46004, OutcomeKind::recipient_invalid, "no such user"),
    of(43004, OutcomeKind::recipient_refuses, "the customer does not follow the account"),
    of(43005, OutcomeKind::recipient_refuses, "the customer does not follow the account"),
    of(50005, OutcomeKind::recipient_refuses, "the customer does not follow the account"),
    of(43019, OutcomeKind::recipient_refuses, "the customer is on the account's black list"),
    of(48002, OutcomeKind::recipient_refuses, "the customer refuses the account's messages"),
    of(43101, OutcomeKind::recipient_refuses, "the customer did not accept this subscription, or ended it"),

    of(45015, OutcomeKind::window_closed, "the customer did not act within the reply window"),
    limited(45047, OutcomeKind::quota_exhausted, Wait::none, "recipient", "the messages of this reply window are used up"),
    limited(45009, OutcomeKind::quota_exhausted, Wait::midnight, "api", "the daily quota of this call"),
    limited(45028, OutcomeKind::quota_exhausted, Wait::midnight, "api", "no mass message is left in this period"),
    limited(45011, OutcomeKind::throttled, Wait::by_itself, "account", "too many requests"),
    limited(45066, OutcomeKind::not_sent, Wait::minute, "", "the same mass task was asked for a moment ago"),

    of(48001, OutcomeKind::config, "the account has no right to this call"),
    of(48004, OutcomeKind::config, "the call is banned for this account"),
    of(48008, OutcomeKind::config, "the account may not send this kind of message"),
    of(50001, OutcomeKind::config, "the account has no right to this call"),
    of(50002, OutcomeKind::config, "the account is restricted"),
    of(43104, OutcomeKind::config, "the account has no right to subscribe messages"),
    {43001, 43003, OutcomeKind::config, Wait::none, "", "", "the call needs another method or HTTPS: is base_url right?"},
    {61451, 61457, OutcomeKind::config, Wait::none, "", "", "the customer-service account is wrong"},

    rejected(40037, 40037, "template_id", "no such template in this account"),
    rejected(47003, 47003, "data", "a value does not fit its field of the template"),
    rejected(41030, 41030, "page", "the mini program has no such page"),
    rejected(45067, 45067, "clientmsgid", "the id of the mass task is too long"),
    rejected(40008, 40008, "msgtype", "no such kind of message"),
    rejected(40004, 40007, "media_id", "the medium is wrong, or its id has ended"),
    rejected(40009, 40012, "media_id", "the medium is wrong, or too big"),
    rejected(40118, 40118, "media_id", "the medium's id is wrong"),
    rejected(40121, 40121, "media_id", "the medium's kind is wrong"),
    rejected(40137, 40137, "media_id", "the picture's format is wrong"),
    rejected(44001, 44001, "media_id", "the medium is empty"),
    rejected(45001, 45001, "media_id", "the medium is too big"),
    rejected(46001, 46001, "media_id", "the medium does not exist"),
    rejected(40033, 40033, "body", "a character that is not allowed"),
    rejected(40035, 40035, "body", "a parameter is wrong"),
    rejected(40039, 40039, "url", "the address is too long"),
    rejected(44002, 44002, "body", "the body is empty"),
    rejected(44003, 44003, "articles", "the articles are empty"),
    rejected(44004, 44004, "content", "the text is empty"),
    rejected(45002, 45002, "content", "the text is too long"),
    rejected(45003, 45003, "title", "the title is too long"),
    rejected(45004, 45004, "description", "the description is too long"),
    rejected(45005, 45005, "url", "the link is too long"),
    rejected(45006, 45006, "picurl", "the picture's link is too long"),
    rejected(45007, 45007, "media_id", "the voice message is too long"),
    rejected(45008, 45008, "articles", "too many articles"),
    rejected(47001, 47001, "body", "the platform could not read the request"),
});

}  // namespace

std::span<const CodeMeaning> official_codes() { return meanings; }

}  // namespace touchgate::adapters::wechat
