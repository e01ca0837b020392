#include "gateway/http/reasons.hpp"

#include <string_view>

#include "gateway/http/json_text.hpp"

namespace touchgate::http {

namespace {

struct Word {
    std::string_view kind, code, english, chinese;
};

constexpr Word words[] = {
    {"rule", "address-gone", "The touch's own address no longer belongs to the contact", "触达指定的地址已不属于该联系人"},
    {"rule", "restricted", "Processing of the contact's data is restricted", "该联系人的数据处理已受限"},
    {"rule", "erased", "An earlier contact with this address withdrew consent and was erased", "该地址的原联系人已撤回同意并被删除"},
    {"rule", "opt-out", "The contact withdrew consent", "联系人已退订或撤回同意"},
    {"rule", "opt-out-review", "A message that may be an opt-out waits for a person", "疑似退订的消息等待人工确认"},
    {"rule", "platform-refusal", "The platform reports that the customer refuses messages", "平台反馈客户拒收、取关或已删除"},
    {"rule", "holdout", "The contact belongs to the campaign's control group", "联系人属于活动的对照组"},
    {"rule", "exclude", "The campaign excludes this contact (by list, campaign or tag)", "活动排除了该联系人（名单、活动或标签）"},
    {"rule", "stop-on", "The contact converted, replied or complained, which ends the campaign for this contact", "联系人已转化、回复或投诉，活动对其终止"},
    {"rule", "campaign-window", "Outside the campaign's daily window", "不在活动的每日时段内"},
    {"rule", "content-not-renderable", "The text cannot be rendered: a variable is missing", "文本无法渲染：缺少变量"},
    {"rule", "template-not-filed", "The template is not approved for this account", "模板未在该账号报备通过"},
    {"rule", "window", "The platform's reply window is closed", "平台的会话回复窗口已关闭"},
    {"rule", "hold", "An emergency stop is in force", "紧急停发生效中"},
    {"rule_kind", "suppression", "The address stands on a suppression list", "地址在禁止触达名单中"},
    {"rule_kind", "consent", "There is no valid consent", "没有有效的同意"},
    {"rule_kind", "hours", "Outside the allowed hours of the contact's time zone", "不在联系人所在时区的允许时段内"},
    {"rule_kind", "cap", "As many touches as allowed were sent in the period", "周期内的触达次数已达上限"},
    {"rule_kind", "gap", "Too soon after the last event that the rule names", "距上次触达或相关事件间隔过短"},
    {"rule_kind", "content", "The text breaks a content rule", "文案不符合内容规则"},
    {"rule_kind", "exemption", "The rule is waived for this touch", "该触达豁免此规则"},
    {"rule_kind", "session_window", "The reply window is closed or used up", "会话窗口已关闭或条数已用完"},
    {"rule_kind", "blackout", "A time of silence is in force", "静默期内"},
    {"rule_kind", "attempts", "As many calls as allowed were made", "外呼次数已达上限"},
    {"rule_kind", "quota", "The platform's quota is used up", "平台配额已用完"},
    {"rule_kind", "budget", "The budget is used up", "预算已用完"},
    {"decision_reason", "expires_first", "The touch would expire before it may be sent", "在允许发送之前即已过期"},
    {"decision_reason", "waits_for_release", "Waits for a reserved place to be released", "等待已预留的名额释放"},
    {"decision_reason", "paused", "The campaign is paused", "活动已暂停"},
    {"outcome", "accepted", "The provider took the message", "服务商已受理"},
    {"outcome", "handed_to_human", "Waits for an employee to send it", "等待员工确认发送"},
    {"outcome", "not_sent", "Certainly not sent; tried again", "确定未发出，将重试"},
    {"outcome", "unknown", "Bytes may have left and the answer is missing", "可能已发出但未收到应答"},
    {"outcome", "throttled", "The provider asks for a slower pace", "服务商限速"},
    {"outcome", "quota_exhausted", "The provider's quota is used up", "服务商配额已用完"},
    {"outcome", "window_closed", "The platform's reply window is closed", "平台回复窗口已关闭"},
    {"outcome", "recipient_refuses", "The recipient refuses messages", "接收方拒收"},
    {"outcome", "recipient_invalid", "There is no such recipient", "接收方不存在"},
    {"outcome", "refused", "The provider refused the message", "服务商拒绝"},
    {"outcome", "content_rejected", "The provider rejected the content", "服务商拒绝该内容"},
    {"outcome", "credentials", "The account's credentials do not work", "账号凭证无效"},
    {"outcome", "config", "The account is set up wrongly", "账号配置错误"},
    {"outcome", "provider_down", "The provider does not work", "服务商不可用"},
    {"reason", "undeliv", "The carrier could not deliver the message", "运营商未能送达"},
    {"reason", "rejectd", "The carrier rejected the message", "运营商拒绝"},
    {"reason", "expired", "The message expired at the carrier", "消息在运营商侧过期"},
    {"reason", "deleted", "The message was deleted at the carrier", "消息在运营商侧被删除"},
    {"reason", "not_found", "The provider does not know the message", "服务商查无此消息"},
    {"reason", "not_friend", "The customer is not a friend of the employee", "客户不是该员工的好友"},
    {"reason", "over_limit", "The customer received as many as the platform allows", "客户已达平台接收上限"},
    {"reason", "missing_variable", "A variable of the template is missing", "缺少模板变量"},
    {"call_outcome", "answered", "Answered", "已接听"},
    {"call_outcome", "busy", "Busy", "占线"},
    {"call_outcome", "no_answer", "Not answered", "无人接听"},
    {"call_outcome", "rejected", "Rejected", "被拒接"},
    {"call_outcome", "invalid_number", "There is no such number", "空号"},
    {"call_outcome", "unreachable", "Not reachable", "无法接通"},
    {"call_outcome", "powered_off", "Switched off", "关机"},
    {"call_outcome", "suspended", "Out of service", "停机"},
    {"call_outcome", "blocked_by_carrier", "Blocked by the carrier", "被运营商拦截"},
    {"call_outcome", "congestion", "The network is congested", "网络拥塞"},
    {"call_outcome", "failed", "Failed", "失败"},
    {"call_outcome", "machine", "A machine answered", "语音信箱接听"},
    {"call_outcome", "dropped", "No agent was free in time", "接通后无坐席而挂断"},
    {"call_outcome", "cancelled", "Cancelled", "已取消"},
    {"call_outcome", "unknown", "Not known", "未知"},
    {"suggestion", "keep_promise", "Keep the promise that is due", "兑现到期的回访承诺"},
    {"suggestion", "mind_open_ticket", "Mind the open ticket", "留意未结工单"},
    {"suggestion", "mind_complaint", "Mind the recent complaint", "留意近期投诉"},
    {"suggestion", "follow_up_touch", "Follow up on what was just sent", "跟进最近一次触达"},
    {"suggestion", "contact_lead", "Speak about the open lead", "跟进未结线索"},
    {"suggestion", "answer_question", "Answer the customer's question", "解答客户的问题"},
    {"suggestion", "greet", "Greet the customer and ask how to help", "问候客户并询问需求"},
    {"agent_state", "offline", "Signed out", "离线"},
    {"agent_state", "not_ready", "Not ready", "示忙"},
    {"agent_state", "ready", "Ready", "就绪"},
    {"agent_state", "reserved", "Reserved", "已预留"},
    {"agent_state", "ringing", "Ringing", "振铃中"},
    {"agent_state", "talking", "Talking", "通话中"},
    {"agent_state", "held", "On hold", "保持中"},
    {"agent_state", "consulting", "Consulting", "咨询中"},
    {"agent_state", "conference", "In a conference", "会议中"},
    {"agent_state", "wrapup", "Wrapping up", "话后处理"},
    {"agent_state", "rona_blocked", "Blocked: offers were not answered", "未应答，已停止派单"},
    {"agent_state", "fault", "Connection lost", "连接中断"},
    {"agent_error", "stale_offer", "The offer is over: too late, taken back, or decided already", "派单已失效：超时、已撤回或已处理"},
    {"agent_error", "not_yours", "It belongs to another agent", "不属于当前坐席"},
    {"agent_error", "unknown_offer", "There is no such offer", "没有该派单"},
    {"agent_error", "unknown_interaction", "There is no such conversation or call", "没有该会话或通话"},
    {"agent_error", "wrong_state", "Not possible in the present state", "当前状态下不可操作"},
    {"agent_error", "bad_request", "The request was not understood", "请求无法识别"},
    {"agent_error", "not_allowed", "Not allowed", "无权操作"},
    {"agent_error", "policy_denied", "The policy forbids it", "策略禁止该触达"},
    {"agent_error", "no_capacity", "No free place", "没有空闲名额"},
    {"agent_error", "resume_too_old", "Too long away: the present state follows", "离线过久，将发送当前状态"},
    {"agent_error", "not_configured", "Not set up here", "尚未配置"},
    {"agent_error", "rate_limited", "Too many requests, or the gateway is busy: try again", "请求过于频繁或网关繁忙，请稍后再试"},
};

}  // namespace

std::string reasons_text() {
    std::string out = "{\"items\":[";
    bool first = true;
    for (const auto& word : words) {
        if (!first) out += ',';
        first = false;
        JsonObject{out}.text("kind", word.kind).text("code", word.code).text("en", word.english).text("zh-CN", word.chinese).close();
    }
    return out + "],\"next_cursor\":null}";
}

ReasonWords reason_words(std::string_view kind, std::string_view code) {
    for (const auto& word : words)
        if (word.kind == kind && word.code == code) return {word.english, word.chinese};
    return {code, code};
}

}  // namespace touchgate::http
