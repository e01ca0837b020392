#include "gateway/leads/texts.hpp"

namespace touchgate::leads {

namespace {

struct Pair { const char* en; const char* zh; };

const std::map<std::string_view, Pair>& catalogue() {
    static const std::map<std::string_view, Pair> texts = {
        {"message.assigned", {"New lead, grade {grade}: {product} ({source}). Customer: {name}. Please get in touch before {due} and report the result: {link}",
                              "新线索（{grade} 级）：{product}，来源 {source}，客户 {name}。请在 {due} 前联系客户并反馈结果：{link}"}},
        {"message.reminder", {"This lead still waits for its first answer: {product}, customer {name}, due {due}. {link}",
                              "线索尚未首次响应：{product}，客户 {name}，应于 {due} 前联系。{link}"}},
        {"message.supervisor", {"A lead of {owner} was not answered in time: {product}, customer {name}, was due {due}.",
                                "{owner} 的线索未按时响应：{product}，客户 {name}，应于 {due} 前联系。"}},
        {"message.unowned", {"Nobody owns this lead yet: {product} ({source}), grade {grade}, due {due}.", "线索尚无人跟进：{product}，来源 {source}，{grade} 级，应于 {due} 前联系。"}},
        {"nobody", {"nobody", "无人"}},
        {"page.title", {"Report on a lead", "线索结果反馈"}},
        {"page.customer", {"Customer", "客户"}},
        {"page.product", {"Product", "意向产品"}},
        {"page.source", {"Source", "来源"}},
        {"page.grade", {"Grade", "评级"}},
        {"page.stage", {"Stage", "当前阶段"}},
        {"page.due", {"Answer due", "应联系时间"}},
        {"page.result", {"Result", "结果"}},
        {"page.reason", {"Reason (for lost and disqualified)", "原因（战败、无效时必填）"}},
        {"page.value", {"Value (for won)", "成交金额（成交时填写）"}},
        {"page.note", {"Note", "备注"}},
        {"page.send", {"Send", "提交"}},
        {"page.saved", {"Saved. Thank you.", "已保存，谢谢。"}},
        {"page.over", {"Nothing more is to be reported on this lead.", "该线索已结束，无需再反馈。"}},
        {"page.unknown", {"This link is not valid.", "链接无效。"}},
        {"page.expired", {"This link has expired, or the lead was given to somebody else.", "链接已过期，或线索已转给其他同事。"}},
        {"page.missing_result", {"Please choose a result.", "请选择结果。"}},
        {"page.missing_reason", {"Please give a reason.", "请填写原因。"}},
        {"page.bad_value", {"The value must be an amount such as 199.00.", "金额格式应为 199.00。"}},
        {"page.refused", {"This could not be saved: {detail}", "未能保存：{detail}"}},
        {"page.busy", {"The gateway is busy; please send it again in a moment.", "系统繁忙，请稍后重新提交。"}},
        {"result.accepted", {"accepted", "已接收"}},
        {"result.reached", {"reached", "已联系上"}},
        {"result.visited", {"came to the store", "已到店"}},
        {"result.won", {"won", "成交"}},
        {"result.lost", {"lost", "战败"}},
        {"result.disqualified", {"no real interest, wrong number …", "无效线索"}},
        {"stage.new", {"new", "新建"}},
        {"stage.assigned", {"assigned", "已分配"}},
        {"stage.accepted", {"accepted", "已接收"}},
        {"stage.contacted", {"contacted", "已联系"}},
        {"stage.qualified", {"qualified", "已确认意向"}},
        {"stage.disqualified", {"disqualified", "无效"}},
        {"stage.won", {"won", "成交"}},
        {"stage.lost", {"lost", "战败"}},
        {"stage.recycled", {"recycled", "已回收"}},
    };
    return texts;
}

}  // namespace

std::string text(std::string_view key, std::string_view language, const std::map<std::string, std::string, std::less<>>& values) {
    const auto found = catalogue().find(key);
    if (found == catalogue().end()) return std::string{key};
    const std::string_view pattern = language.starts_with("zh") ? found->second.zh : found->second.en;
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const auto end = pattern[i] == '{' ? pattern.find('}', i) : std::string_view::npos;
        const auto value = end == std::string_view::npos ? values.end() : values.find(pattern.substr(i + 1, end - i - 1));
        if (value == values.end()) {
            out += pattern[i];
            continue;
        }
        out += value->second;
        i = end;
    }
    return out;
}

}  // namespace touchgate::leads
