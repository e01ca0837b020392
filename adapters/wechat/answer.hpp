// The platforms' answers: HTTP 200 with a JSON object whose `errcode` (0 or absent: done) says what happened. WeCom and official accounts have the
// same frame and different tables of codes; a table is data, what follows from it is here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::wechat {

struct Answer {
    bool readable = false;     // 2xx with a JSON object; if not, nobody knows what the platform did
    int status = 0;            // of HTTP
    std::int64_t errcode = 0;  // 0 also where there is none
    bool has_errcode = false;
    Json body = {};
    std::string request_id = {};               // that the platform's support asks for: "rid" or "hint" of errmsg
    std::optional<Duration> retry_after = {};  // of the header
    std::optional<Duration> to_midnight = {};  // in China, by the answer's Date

    [[nodiscard]] bool ok() const { return readable && errcode == 0; }
};
[[nodiscard]] Answer read_answer(const channel::HttpResponse& response);

// When the limit that a code names is over.
enum class Wait : std::uint8_t {
    none,
    by_itself,  // throttled: the gateway's own cool-down, or what the answer says
    minute,
    hour,
    day,
    midnight,  // the next 00:00 in China; a day where the answer has no Date
};

struct CodeMeaning {
    std::int64_t first;
    std::int64_t last;
    channel::OutcomeKind kind;
    Wait wait;
    std::string_view scope;   // throttled, quota_exhausted: "account", "recipient", "api"
    std::string_view field;   // content_rejected
    std::string_view detail;  // for people
};

// The outcome of a submit that was not accepted, total: the first meaning that fits; a code that no meaning has is `refused` (the platform refused,
// and certainly sent nothing), to be asked for once more; an answer that cannot be read is `unknown`, one with status 429 `throttled`. Must not be asked of an answer that is
// ok().
[[nodiscard]] channel::Outcome outcome_of(const Answer& answer, std::span<const CodeMeaning> meanings);

// 40001, 40014, 42001: the access token is stale and one fresh one may help. The same on both platforms.
[[nodiscard]] bool token_is_stale(const Answer& answer);

}  // namespace touchgate::adapters::wechat
