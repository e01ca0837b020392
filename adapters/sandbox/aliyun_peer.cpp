#include "adapters/sandbox/aliyun_peer.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t numbers_max = 1'000;   // of one SendSms
constexpr std::size_t batch_max = 100;       // of one SendBatchSms
constexpr auto nonce_kept = 31min;           // longer than a time stamp can be valid

// What the console shows beside a code; the frequency limits carry their window in this text.
std::string_view message_of(std::string_view code) {
    if (code == "isv.BUSINESS_LIMIT_CONTROL") return "触发分钟级流控Permits:1";
    if (code == "isv.MOBILE_NUMBER_ILLEGAL") return "非法手机号";
    if (code == "isv.SMS_TEMPLATE_ILLEGAL") return "模板不合法(不存在或被拉黑)";
    if (code == "isv.SMS_SIGNATURE_ILLEGAL") return "签名不合法(不存在或被拉黑)";
    if (code == "isv.TEMPLATE_MISSING_PARAMETERS") return "模板变量缺少对应参数值";
    if (code == "isv.AMOUNT_NOT_ENOUGH") return "账户余额不足";
    if (code == "isv.OUT_OF_SERVICE") return "业务停机";
    if (code == "isp.SYSTEM_ERROR") return "系统错误";
    if (code.starts_with("Throttling")) return "Request was denied due to user flow control.";
    return "请求被拒绝";
}

bool is_business_code(std::string_view code) { return code.starts_with("isv.") || code.starts_with("isp."); }

int number_of(std::string_view text, int fallback) {
    int value = fallback;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

HttpReply AliyunPeer::reply(std::string_view code, std::string_view message, const std::string& biz_id) {
    Json body{{"Code", code}, {"Message", message}, {"RequestId", new_id()}};
    if (!biz_id.empty()) body["BizId"] = biz_id;
    return {.body = body.dump()};
}

HttpReply AliyunPeer::refusal(int status, std::string_view code, std::string_view message) {
    auto answer = reply(code, message);
    answer.status = status;
    return answer;
}

bool AliyunPeer::take_nonce(const std::string& nonce, Now now) {
    while (!nonces_by_age_.empty() && nonces_by_age_.front().first < now.wall - nonce_kept) {
        nonces_.erase(nonces_by_age_.front().second);
        nonces_by_age_.pop_front();
    }
    if (!nonces_.insert(nonce).second) return false;
    nonces_by_age_.emplace_back(now.wall, nonce);
    return true;
}

HttpReply AliyunPeer::answer(const HttpRequest& request, Now now) {
    const auto verdict = verify_aliyun(request, settings_.keys, now.wall);
    if (!verdict.accepted()) {
        ++statistics_.signatures_refused;
        return refuse(verdict.status, verdict.error, verdict.message);
    }
    if (!take_nonce(verdict.nonce, now)) return refuse(400, "SignatureNonceUsed", "Specified signature nonce was used already.");
    auto parameters = parse_parameters(request.query());
    if (request.header("content-type").starts_with("application/x-www-form-urlencoded"))
        for (auto& parameter : parse_parameters(request.body)) parameters.push_back(std::move(parameter));
    const bool acs3 = request.header("authorization").starts_with("ACS3");
    const auto action = acs3 ? request.header("x-acs-action") : value_of(parameters, "Action");
    const auto version = acs3 ? request.header("x-acs-version") : value_of(parameters, "Version");
    if (version != "2017-05-25") return refuse(400, "InvalidVersion", "Specified parameter Version is not valid.");
    if (request.path() != "/") return refuse(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.");
    if (action == "SendSms") return send_one_text(parameters, verdict.key_id, request, now);
    if (action == "SendBatchSms") return send_batch(parameters, verdict.key_id, request, now);
    if (action == "QuerySendDetails") return query(parameters);
    return refuse(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.");
}

HttpReply AliyunPeer::send_one_text(const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now) {
    const auto text = value_of(parameters, "TemplateParam");
    Json values = Json::object();
    if (!text.empty()) {
        auto parsed = parse_json(text);
        const bool fits = parsed && parsed->is_object() &&
                          std::all_of(parsed->begin(), parsed->end(), [](const Json& value) { return value.is_string() || value.is_number(); });
        if (!fits) return refuse(200, "isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值");
        values = std::move(*parsed);
    }
    std::vector<Wanted> wanted;
    for (const auto number : split(value_of(parameters, "PhoneNumbers"), ','))
        wanted.push_back({std::string{number}, std::string{value_of(parameters, "SignName")}, std::string{value_of(parameters, "SmsUpExtendCode")}, values});
    if (wanted.size() > numbers_max) return refuse(200, "isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制");
    return send(wanted, parameters, user, request, now);
}

HttpReply AliyunPeer::send_batch(const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now) {
    Json lists[4];
    const char* const names[] = {"PhoneNumberJson", "SignNameJson", "TemplateParamJson", "SmsUpExtendCodeJson"};
    for (std::size_t i = 0; i < 4; ++i) {
        const auto text = value_of(parameters, names[i]);
        if (text.empty() && i >= 2) continue;
        auto parsed = parse_json(text);
        if (!parsed || !parsed->is_array()) return refuse(200, "isv.INVALID_PARAMETERS", std::string{names[i]} + " must be a JSON array");
        lists[i] = std::move(*parsed);
        if (lists[i].size() != lists[0].size()) return refuse(200, "isv.INVALID_PARAMETERS", std::string{names[i]} + " has another length");
    }
    if (lists[0].empty() || lists[0].size() > batch_max) return refuse(200, "isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制");
    const auto text_at = [](const Json& list, std::size_t i) { return i < list.size() && list[i].is_string() ? list[i].get<std::string>() : std::string{}; };
    std::vector<Wanted> wanted;
    for (std::size_t i = 0; i < lists[0].size(); ++i)
        wanted.push_back({text_at(lists[0], i), text_at(lists[1], i), text_at(lists[3], i),
                          i < lists[2].size() && lists[2][i].is_object() ? lists[2][i] : Json::object()});
    return send(wanted, parameters, user, request, now);
}

HttpReply AliyunPeer::send(const std::vector<Wanted>& wanted, const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now) {
    ++statistics_.submits;
    const auto drawn = draw_error();
    if (!drawn.empty()) return refuse(is_business_code(drawn) ? 200 : 400, drawn, message_of(drawn));
    const auto code = value_of(parameters, "TemplateCode");
    const auto own_id = value_of(parameters, "OutId");
    if (own_id.size() > 255) return refuse(200, "isv.INVALID_PARAMETERS", "OutId is too long");
    std::vector<NewSend> sends;
    const auto biz_id = std::to_string(new_serial(now)) + "^0";
    for (const auto& one : wanted) {
        const auto refuse_with = [&](std::string_view error) { return refuse(200, error, message_of(error)); };
        auto phone = normal_phone(one.number);
        if (phone.empty()) return refuse_with("isv.MOBILE_NUMBER_ILLEGAL");
        if (!sign_name_known(one.sign_name)) return refuse_with("isv.SMS_SIGNATURE_ILLEGAL");
        if (code.empty()) return refuse_with("isv.SMS_TEMPLATE_ILLEGAL");
        auto rendered = render(one.sign_name, code, one.values, "${", "}");
        if (rendered.fault == Rendered::Fault::no_template) return refuse_with("isv.SMS_TEMPLATE_ILLEGAL");
        if (rendered.fault == Rendered::Fault::no_value) return refuse_with("isv.TEMPLATE_MISSING_PARAMETERS");
        sends.push_back({.user = user,
                         .wire_number = one.number,
                         .raw = request.body.empty() ? std::string_view{request.target} : std::string_view{request.body},
                         .send = {.phone = std::move(phone), .sign_name = one.sign_name, .template_code = std::string{code}, .text = std::move(rendered.text),
                                  .id = biz_id, .own_id = std::string{own_id}, .extension = one.extension, .at = {}, .stat = {}}});
    }
    for (auto& one : sends) accept(std::move(one), now);
    return reply("OK", "OK", biz_id);
}

HttpReply AliyunPeer::query(const Parameters& parameters) {
    const auto phone = normal_phone(value_of(parameters, "PhoneNumber"));
    const auto day = value_of(parameters, "SendDate");
    const auto biz_id = value_of(parameters, "BizId");
    const auto page_size = number_of(value_of(parameters, "PageSize"), 0);
    const auto page = number_of(value_of(parameters, "CurrentPage"), 0);
    if (phone.empty()) return refuse(200, "isv.MOBILE_NUMBER_ILLEGAL", message_of("isv.MOBILE_NUMBER_ILLEGAL"));
    if (day.size() != 8 || page_size < 1 || page_size > 50 || page < 1)
        return refuse(200, "isv.INVALID_PARAMETERS", "SendDate must be yyyyMMdd, PageSize 1 to 50, CurrentPage from 1");
    Json items = Json::array();
    int total = 0;
    for (const auto* const send : sends_to(phone)) {
        auto sent_at = china_time(send->at);
        auto sent_day = sent_at.substr(0, 10);
        std::erase(sent_day, '-');
        if (sent_day != day || (!biz_id.empty() && send->id != biz_id)) continue;
        ++total;
        if (total <= (page - 1) * page_size || total > page * page_size) continue;
        Json item{{"PhoneNum", split_phone(send->phone).second}, {"Content", send->text}, {"TemplateCode", send->template_code}, {"SendDate", sent_at},
                  {"SendStatus", send->stat.empty() ? 1 : send->delivered() ? 3 : 2}, {"OutId", send->own_id},
                  {"ErrCode", send->stat.empty() ? "" : send->delivered() ? "DELIVERED" : send->stat}};
        if (!send->stat.empty()) item["ReceiveDate"] = china_time(send->reported);
        items.push_back(std::move(item));
    }
    const Json body{{"Code", "OK"}, {"Message", "OK"}, {"RequestId", new_id()}, {"TotalCount", total}, {"SmsSendDetailDTOs", {{"SmsSendDetailDTO", items}}}};
    return {.body = body.dump()};
}

Json AliyunPeer::receipt_item(const Send& send) const {
    const auto [country, number] = split_phone(send.phone);
    return {{"phone_number", country == "86" ? std::string{number} : send.phone},
            {"send_time", china_time(send.at)},
            {"report_time", china_time(send.reported)},
            {"success", send.delivered()},
            {"err_code", send.delivered() ? "DELIVERED" : send.stat},
            {"err_msg", send.delivered() ? "用户接收成功" : "用户接收失败"},
            {"sms_size", std::to_string(billed_segments(send.text))},
            {"biz_id", send.id},
            {"out_id", send.own_id}};
}

Json AliyunPeer::message_item(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text,
                              std::uint64_t serial, Instant at) const {
    const auto [country, number] = split_phone(phone);
    return {{"phone_number", country == "86" ? number : phone}, {"send_time", china_time(at)}, {"content", text},
            {"sign_name", sign_name},                           {"dest_code", extension},      {"sequence_id", serial}};
}

bool AliyunPeer::is_taken(const Json& answer) const {
    const auto code = answer.find("code");
    return code != answer.end() && code->is_number_integer() && *code == 0;
}

}  // namespace touchgate::sandbox
