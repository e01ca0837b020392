#include "adapters/wechat/answer.hpp"

#include <algorithm>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::Outcome;
using channel::OutcomeKind;
using namespace std::chrono_literals;

// "… rid: 63f1…" or "…, hint: [1650…]": letters and digits that name the request and nobody else.
std::string request_id_of(std::string_view errmsg) {
    for (const std::string_view mark : {"rid: ", "rid:", "hint: [", "hint:["}) {
        const auto at = errmsg.find(mark);
        if (at == std::string_view::npos) continue;
        auto rest = errmsg.substr(at + mark.size());
        const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
        const auto end = std::find_if_not(rest.begin(), rest.end(), fits);
        rest = rest.substr(0, std::min<std::size_t>(static_cast<std::size_t>(end - rest.begin()), 64));
        if (!rest.empty()) return std::string{mark.substr(0, mark.find(':'))}.append(" ").append(rest);
    }
    return {};
}

std::optional<Duration> time_to_wait(Wait wait, const Answer& answer) {
    switch (wait) {
        case Wait::none: return std::nullopt;
        case Wait::by_itself: return answer.retry_after;
        case Wait::minute: return 1min;
        case Wait::hour: return 1h;
        case Wait::day: return one_day;
        case Wait::midnight: return answer.to_midnight.value_or(one_day);
    }
    return std::nullopt;
}

}  // namespace

Answer read_answer(const channel::HttpResponse& response) {
    Answer answer{.status = response.status};
    answer.retry_after = channel::parse_retry_after(response.header("retry-after"));
    answer.to_midnight = channel::until_hour_in_china(response.header("date"), 0h);
    answer.body = channel::parse_foreign_json(response.body);
    if (response.status < 200 || response.status > 299 || !answer.body.is_object()) return answer;
    const auto& code = channel::member(answer.body, "errcode");
    answer.has_errcode = code.is_number_integer();
    if (answer.has_errcode) answer.errcode = code.get<std::int64_t>();
    // A code that is no number is no answer of the platform.
    answer.readable = code.is_null() || answer.has_errcode;
    answer.request_id = request_id_of(channel::text_member(answer.body, "errmsg"));
    return answer;
}

Outcome outcome_of(const Answer& answer, std::span<const CodeMeaning> meanings) {
    if (!answer.readable || answer.errcode == 0) {
        auto http = "http:" + std::to_string(answer.status);
        if (answer.status == 429)
            return {.kind = OutcomeKind::throttled,
                    .code = std::move(http),
                    .detail = "too many requests",
                    .scope = "account",
                    .retry_after = answer.retry_after};
        return {.kind = OutcomeKind::unknown, .code = std::move(http), .detail = "the answer cannot be read"};
    }
    Outcome outcome{.kind = OutcomeKind::refused, .code = std::to_string(answer.errcode), .detail = "a code that is not in the table"};
    const auto found = std::find_if(meanings.begin(), meanings.end(),
                                    [&](const CodeMeaning& meaning) { return answer.errcode >= meaning.first && answer.errcode <= meaning.last; });
    outcome.once_more = found == meanings.end();
    if (found != meanings.end()) {
        outcome.kind = found->kind;
        outcome.detail = std::string{found->detail};
        outcome.scope = std::string{found->scope};
        outcome.field = std::string{found->field};
        outcome.retry_after = time_to_wait(found->wait, answer);
    }
    if (!answer.request_id.empty()) outcome.detail.append(" (").append(answer.request_id).append(")");
    return outcome;
}

bool token_is_stale(const Answer& answer) {
    return answer.readable && (answer.errcode == 40001 || answer.errcode == 40014 || answer.errcode == 42001);
}

}  // namespace touchgate::adapters::wechat
