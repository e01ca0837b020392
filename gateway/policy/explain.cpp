#include "gateway/policy/explain.hpp"

namespace touchgate::policy {

namespace {

struct Template {
    Why why;
    const char* en;
    const char* zh;
};

// {counted}, {max}, {until}, {score} and {by} (the exemption) are filled in.
constexpr Template templates[] = {
    {Why::allowed, "Nothing in the way.", "无限制。"},
    {Why::cannot_evaluate, "The rule cannot be evaluated (a time zone, a counter or the text is not known), so it refuses.",
     "规则无法判定（时区、计数或文本未知），因此拒绝。"},
    {Why::address_gone, "The address no longer belongs to the contact.", "该地址已不属于此联系人。"},
    {Why::contact_restricted, "The contact's data is restricted.", "该联系人的数据已限制处理。"},
    {Why::address_erased, "The address was erased after a withdrawal.", "该地址在撤回同意后已被删除。"},
    {Why::opted_out, "The contact opted out of this purpose on this channel.", "联系人已在该渠道退订此类消息。"},
    {Why::opt_out_review, "A reply that may be an opt-out waits for a person.", "有一条疑似退订的回复等待人工确认。"},
    {Why::platform_refuses, "The platform refuses this address (not following, deleted, refused or black-listed).",
     "平台拒绝该地址（未关注、已删除、拒收或被列入黑名单）。"},
    {Why::held_out, "The contact is held out as a control.", "联系人属于对照组，不触达。"},
    {Why::template_not_filed, "No filing of the template is approved for this account.", "该账号没有已通过的模板报备。"},
    {Why::on_list, "The address is on a suppression list.", "该地址在禁发名单中。"},
    {Why::not_on_list, "The address is on none of the lists that may be reached.", "该地址不在允许触达的名单中。"},
    {Why::no_consent, "There is no consent for this purpose on this channel.", "没有该渠道此类消息的同意记录。"},
    {Why::consent_withdrawn, "The newest consent record is a withdrawal.", "最近一条同意记录为撤回。"},
    {Why::consent_too_old, "The consent is older than the rule accepts.", "同意记录已超过有效期。"},
    {Why::outside_hours, "Outside the permitted hours; open again at {until}.", "不在允许时段内，{until} 起可触达。"},
    {Why::outside_hours_calendar_ends,
     "Outside the permitted hours; open again at {until}. The calendar ends before that date (calendar_ends), so the stricter of weekday and holiday "
     "hours holds.",
     "不在允许时段内，{until} 起可触达。日历未覆盖该日期（calendar_ends），按工作日与节假日中较严的时段执行。"},
    {Why::never_open, "No permitted hour within 366 days.", "366 天内没有允许的时段。"},
    {Why::within_hours, "Within the permitted hours.", "在允许时段内。"},
    {Why::within_hours_calendar_ends,
     "Within the permitted hours. The calendar does not cover the date (calendar_ends), so the stricter of weekday and holiday hours holds.",
     "在允许时段内。日历未覆盖该日期（calendar_ends），按工作日与节假日中较严的时段执行。"},
    {Why::room_left, "{counted} of {max} used.", "已用 {counted}，上限 {max}。"},
    {Why::cap_reached, "{counted} of {max} used; room again at {until}.", "已用 {counted}，上限 {max}，{until} 起有余量。"},
    {Why::cap_is_zero, "The maximum is 0: never.", "上限为 0，不允许触达。"},
    {Why::too_soon_after_touch, "Too soon after the last touch; at the earliest at {until}.", "距上次触达时间过短，最早 {until}。"},
    {Why::too_soon_after_complaint, "Too soon after a complaint; at the earliest at {until}.", "距上次投诉时间过短，最早 {until}。"},
    {Why::too_soon_after_conversation, "Too soon after the last conversation; at the earliest at {until}.", "距上次会话时间过短，最早 {until}。"},
    {Why::too_soon_after_reply, "Too soon after the contact's reply; at the earliest at {until}.", "距联系人上次回复时间过短，最早 {until}。"},
    {Why::ticket_open, "A service ticket is open; decided again when it closes.", "有未关闭的工单，关闭后重新判定。"},
    {Why::no_signature, "The text has no signature 【…】 at its start or end.", "文本首尾没有签名【…】。"},
    {Why::required_text_missing, "A required wording is missing in the text.", "文本缺少必需的文字。"},
    {Why::forbidden_text, "The text contains a forbidden word.", "文本含有禁用词。"},
    {Why::too_long, "The text has too many characters.", "文本字数超限。"},
    {Why::too_many_segments, "The text has too many segments.", "文本条数超限。"},
    {Why::no_text, "The text that will leave is not known, so it cannot be checked.", "无法获知实际发出的文本，不能检查。"},
    {Why::in_blackout, "In a blackout period; it ends at {until}.", "处于停发时段，{until} 结束。"},
    {Why::window_closed, "The contact has not written recently enough for the session window to be open.",
     "会话窗口未开启：联系人近期没有主动联系。"},
    {Why::window_used_up, "{counted} of {max} messages of the session window are used.", "会话窗口内已用 {counted} 条，上限 {max} 条。"},
    {Why::waived, "Waived by the exemption {by}.", "由豁免规则 {by} 免除。"},
    {Why::exempts, "This exemption applies.", "适用此豁免规则。"},
    {Why::not_now, "Not in the way now, but at the instants that come into question.", "当前不受限，但在可触达的时刻受限。"},
    {Why::budget_left, "{counted} of {max} of the budget used.", "预算已用 {counted}，上限 {max}。"},
    {Why::budget_spent, "{counted} of {max} of the budget used, too little is left; room again at {until}.",
     "预算已用 {counted}，上限 {max}，余额不足，{until} 起有余量。"},
    {Why::fatigued, "The contact shows fatigue (score {score}), so at most {max} go to him and {counted} went; room again at {until}.",
     "联系人已显疲劳（疲劳分 {score}），触达上限降为 {max}，已用 {counted}，{until} 起有余量。"},
    {Why::fatigue_below_ceiling, "The contact shows fatigue (score {score}): {counted} of {max} used.", "联系人已显疲劳（疲劳分 {score}）：已用 {counted}，上限 {max}。"},
    {Why::too_many_dropped, "Up to {counted} % of the answered calls may have been dropped, {max} % are permitted: no dialling without a free agent.",
     "已接通电话的弃呼率可能达 {counted}%，上限 {max}%：须有空闲坐席才可外呼。"},
    {Why::few_enough_dropped, "At most {counted} % of the answered calls were dropped, {max} % are permitted.", "已接通电话的弃呼率不超过 {counted}%，上限 {max}%。"},
    {Why::too_soon_after_event, "Too soon after an event of the contact; at the earliest at {until}.", "距联系人的相关事件时间过短，最早 {until}。"},
    {Why::too_soon_after_disposition, "Too soon after the result of the last conversation; at the earliest at {until}.", "距上次会话结果时间过短，最早 {until}。"},
};

void replace(std::string& text, std::string_view key, const std::string& value) {
    if (const auto at = text.find(key); at != std::string::npos) text.replace(at, key.size(), value);
}

Json from_milli(std::int64_t milli) {
    if (milli % 1000 == 0) return milli / 1000;
    return static_cast<double>(milli) / 1000.0;
}

}  // namespace

std::string_view verdict_word(Verdict verdict) {
    switch (verdict) {
        case Verdict::allow: return "allow";
        case Verdict::defer: return "defer";
        default: return "deny";
    }
}

std::string_view reason_word(Reason reason) {
    switch (reason) {
        case Reason::expires_first: return "expires_first";
        case Reason::waits_for_release: return "waits_for_release";
        case Reason::paused: return "paused";
        default: return "";
    }
}

Sentence sentence(const CompiledPolicy& policy, const TraceStep& step) {
    const auto* found = &templates[0];
    for (const auto& one : templates)
        if (static_cast<std::uint8_t>(one.why) == step.why) found = &one;
    Sentence made{found->en, found->zh};
    for (auto* text : {&made.en, &made.zh}) {
        replace(*text, "{counted}", from_milli(step.counted_milli).dump());
        replace(*text, "{max}", from_milli(step.max_milli).dump());
        replace(*text, "{until}",
                step.until == instant_never ? std::string{text == &made.en ? "no known time" : "（时间未知）"} : format_instant(step.until));
        replace(*text, "{score}", from_milli(std::max<std::int64_t>(step.score_milli, 0)).dump());
        replace(*text, "{by}", policy.rule_name(step.waived_by));
    }
    return made;
}

Json decision_json(const CompiledPolicy& policy, std::string_view policy_version, const Decision& decision, const TouchNamer& name_touch) {
    Json made = {
        {"verdict", verdict_word(decision.verdict)}, {"policy", policy_version}, {"rule", nullptr}, {"until", nullptr}, {"trace", Json::array()}};
    if (decision.rule != no_rule) made["rule"] = policy.rule_name(decision.rule);
    if (decision.until != instant_never) made["until"] = format_instant(decision.until);
    if (decision.reason != Reason::none) made["reason"] = reason_word(decision.reason);
    for (const auto& step : decision.trace) {
        const auto why = sentence(policy, step);
        Json one = {{"rule", policy.rule_name(step.rule)},
                    {"kind", policy.rule_kind(step.rule)},
                    {"verdict", step.waived ? "waived" : verdict_word(step.verdict)},
                    {"why", {{"en", why.en}, {"zh-CN", why.zh}}}};
        if (step.waived) one["waived_by"] = policy.rule_name(step.waived_by);
        if (step.verdict != Verdict::allow && step.until != instant_never) one["until"] = format_instant(step.until);
        if (step.counts) {
            one["counted"] = from_milli(step.counted_milli);
            one["max"] = from_milli(step.max_milli);
        }
        if (step.score_milli >= 0) one["score"] = from_milli(step.score_milli);
        if (const auto number = static_cast<Why>(step.why); number == Why::outside_hours_calendar_ends || number == Why::within_hours_calendar_ends)
            one["calendar_ends"] = true;
        if (name_touch && !step.touches.empty()) {
            auto touches = Json::array();
            for (const auto touch : step.touches)
                if (auto id = name_touch(touch); !id.empty()) touches.push_back(std::move(id));
            one["touches"] = std::move(touches);
        } else if (name_touch && step.counts) {
            one["touches"] = Json::array();
        }
        made["trace"].push_back(std::move(one));
    }
    return made;
}

}  // namespace touchgate::policy
