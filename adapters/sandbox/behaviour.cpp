#include "adapters/sandbox/behaviour.hpp"

#include <cctype>
#include <cmath>
#include <optional>

namespace touchgate::sandbox {

namespace {

constexpr Duration delay_max = std::chrono::hours{24 * 30};

// One list of fields serves reading and writing: `fields` names each setting once and a visitor does the rest.
class Reading {
public:
    explicit Reading(JsonReader& reader) : reader_{reader} {}

    void share(const char* key, double& value) { value = reader_.number(key, value, 0.0, 1.0); }
    void number(const char* key, double& value) { value = reader_.number(key, value, 0.0, 1e9); }
    void count(const char* key, std::int64_t& value) { value = reader_.integer(key, value, 0, 1'000'000'000); }
    void boolean(const char* key, bool& value) { value = reader_.boolean(key, value); }
    void duration(const char* key, Duration& value) { value = reader_.duration(key, value, Duration{0}, delay_max); }
    void choice(const char* key, std::initializer_list<std::string_view> allowed, std::string& value) { value = reader_.choice(key, allowed, value); }
    void text(const char* key, std::string& value) { value = reader_.text(key, value); }
    void url(const char* key, std::string& value) {
        const auto read = reader_.text(key, value);
        if (read.empty() || read.starts_with("http://")) value = read;
        else reader_.problem(key, "must be an http:// URL, or \"\" for no callbacks");
    }
    void texts(const char* key, std::vector<std::string>& value) {
        value = reader_.texts(key, value);
        if (value.empty()) reader_.problem(key, "must not be empty");
    }

    void range(const char* key, DelayRange& value) {
        const auto* const raw = reader_.raw(key);
        if (raw == nullptr) return;
        if (!raw->is_array()) {
            const auto both = reader_.duration(key, value.from, Duration{0}, delay_max);
            if (raw->is_string()) value = {both, both};
            return;
        }
        std::optional<Duration> ends[2];
        for (std::size_t i = 0; i < 2 && raw->size() == 2; ++i)
            if ((*raw)[i].is_string()) ends[i] = parse_duration((*raw)[i].get_ref<const std::string&>());
        if (!ends[0] || !ends[1] || *ends[0] > *ends[1] || *ends[1] > delay_max)
            reader_.problem(key, "must be an ISO 8601 duration or two of them, the shorter first, such as [\"PT0.05S\", \"PT0.2S\"]");
        else value = {*ends[0], *ends[1]};
    }

    template <class Check> void shares(const char* key, Shares& value, Check check) {
        if (reader_.raw(key) == nullptr) return;
        Shares read;
        double sum = 0;
        reader_.members(key, [&](const std::string& word, const Json& share, const std::string& pointer) {
            if (!check(word)) {
                reader_.problems().push_back({pointer, "\"" + word + "\" is not a status that this channel can give"});
            } else if (!share.is_number() || !(share.get<double>() >= 0) || share.get<double>() > 1) {
                reader_.problems().push_back({pointer, "must be a share from 0 to 1"});
            } else {
                sum += share.get<double>();
                read.emplace_back(word, share.get<double>());
            }
        });
        if (sum > 1 + 1e-9) reader_.problem(key, "the shares must not add up to more than 1");
        value = std::move(read);
    }

    // None, or one for each hour of the day.
    void hours(const char* key, std::vector<double>& value) {
        const auto* const raw = reader_.raw(key);
        if (raw == nullptr) return;
        std::vector<double> read;
        if (raw->is_array())
            for (const auto& each : *raw)
                if (each.is_number() && each.get<double>() >= 0 && each.get<double>() <= 1) read.push_back(each.get<double>());
        if (raw->is_array() && read.size() == raw->size() && (read.empty() || read.size() == 24)) value = std::move(read);
        else reader_.problem(key, "must be an array of 24 numbers from 0 to 1, one for each hour, or an empty one");
    }

    void counts(const char* key, std::vector<std::pair<std::string, std::int64_t>>& value) {
        if (reader_.raw(key) == nullptr) return;
        std::vector<std::pair<std::string, std::int64_t>> read;
        reader_.members(key, [&](const std::string& name, const Json& count, const std::string& pointer) {
            if (count.is_number_integer() && count.get<std::int64_t>() >= 0) read.emplace_back(name, count.get<std::int64_t>());
            else reader_.problems().push_back({pointer, "must be a whole number from 0"});
        });
        value = std::move(read);
    }

private:
    JsonReader& reader_;
};

class Writing {
public:
    void share(const char* key, const double& value) { json_[key] = value; }
    void number(const char* key, const double& value) { json_[key] = value; }
    void count(const char* key, const std::int64_t& value) { json_[key] = value; }
    void boolean(const char* key, const bool& value) { json_[key] = value; }
    void duration(const char* key, const Duration& value) { json_[key] = format_duration(value); }
    void choice(const char* key, std::initializer_list<std::string_view>, const std::string& value) { json_[key] = value; }
    void texts(const char* key, const std::vector<std::string>& value) { json_[key] = value; }
    void text(const char* key, const std::string& value) { json_[key] = value; }
    void url(const char* key, const std::string& value) { json_[key] = value; }
    void range(const char* key, const DelayRange& value) {
        if (value.from == value.to) json_[key] = format_duration(value.from);
        else json_[key] = Json::array({format_duration(value.from), format_duration(value.to)});
    }
    template <class Check> void shares(const char* key, const Shares& value, Check) {
        auto& object = json_[key] = Json::object();
        for (const auto& [word, share] : value) object[word] = share;
    }
    void hours(const char* key, const std::vector<double>& value) { json_[key] = value; }
    void counts(const char* key, const std::vector<std::pair<std::string, std::int64_t>>& value) {
        auto& object = json_[key] = Json::object();
        for (const auto& [name, count] : value) object[name] = count;
    }
    [[nodiscard]] Json take() { return std::move(json_); }

private:
    Json json_ = Json::object();
};

bool is_status_word(std::string_view word) {
    if (word.empty() || word.size() > 20) return false;
    for (const char c : word)
        if (c <= ' ' || c > '~') return false;
    return true;
}

bool is_command_status(std::string_view word) {
    if (word.size() < 3 || word.size() > 10 || word.substr(0, 2) != "0x") return false;
    bool nonzero = false;
    for (const char c : word.substr(2)) {
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
        nonzero = nonzero || c != '0';
    }
    return nonzero;
}

// An errcode of the WeChat platforms, or any other number that they write as text.
bool is_decimal(std::string_view word) {
    if (word.starts_with("-")) word.remove_prefix(1);
    if (word.empty() || word.size() > 9) return false;
    for (const char c : word)
        if (c < '0' || c > '9') return false;
    return true;
}

bool is_result_text(std::string_view word) { return !word.empty() && word.size() <= 100; }

bool is_error_code(std::string_view word) { return !word.empty() && word.size() <= 100; }

template <class Customer, class Visitor> void customer_fields(Customer& customers, Visitor& visit) {
    visit.share("reply", customers.reply);
    visit.share("opt_out", customers.opt_out);
    visit.range("reply_delay", customers.reply_delay);
    visit.texts("replies", customers.replies);
    visit.texts("opt_out_words", customers.opt_out_words);
}

template <class Channel, class Visitor> void common_fields(Channel& channel, Visitor& visit) {
    visit.share("throttle", channel.throttle);
    visit.number("rate", channel.rate);
    visit.range("response_delay", channel.response_delay);
    visit.shares("receipts", channel.receipts, is_status_word);
    visit.range("receipt_delay", channel.receipt_delay);
    visit.share("early_receipt", channel.early_receipt);
    visit.share("duplicate_receipt", channel.duplicate_receipt);
    visit.share("missing_receipt", channel.missing_receipt);
    visit.share("mo_repeat", channel.mo_repeat);
    customer_fields(channel.customers, visit);
}

template <class Smsc, class Visitor> void smsc_fields(Smsc& smsc, Visitor& visit) {
    common_fields(smsc, visit);
    visit.share("no_response", smsc.no_response);
    visit.share("queue_full", smsc.queue_full);
    visit.share("system_error", smsc.system_error);
    visit.shares("error", smsc.errors, is_command_status);
    visit.count("drop_after", smsc.drop_after);
    visit.count("reset_after", smsc.reset_after);
    visit.count("half_open_after", smsc.half_open_after);
    visit.share("refuse_connection", smsc.refuse_connection);
    visit.share("refuse_bind", smsc.refuse_bind);
    visit.count("binds_max", smsc.binds_max);
    visit.count("window_max", smsc.window_max);
    visit.share("out_of_order", smsc.out_of_order);
    visit.share("intermediate", smsc.intermediate);
    visit.choice("receipt_id", {"same", "hex_to_dec", "dec_to_hex", "upper", "padded"}, smsc.receipt_id);
    visit.choice("receipt_form", {"both", "text", "tlv"}, smsc.receipt_form);
    visit.boolean("strict_length", smsc.strict_length);
    visit.count("deliver_window", smsc.deliver_window);
    visit.duration("deliver_timeout", smsc.deliver_timeout);
    visit.duration("deliver_retry", smsc.deliver_retry);
    visit.duration("enquire_link", smsc.enquire_link);
}

template <class Cloud, class Visitor> void cloud_fields(Cloud& cloud, Visitor& visit) {
    common_fields(cloud, visit);
    visit.share("no_answer", cloud.no_response);
    visit.shares("error", cloud.error, is_error_code);
    visit.share("http_error", cloud.http_error);
    visit.number("retry_scale", cloud.retry_scale);
    visit.count("callback_batch", cloud.callback_batch);
    visit.url("receipt_url", cloud.receipt_url);
    visit.url("mo_url", cloud.mo_url);
}

template <class Platform, class Visitor> void wechat_fields(Platform& platform, Visitor& visit) {
    visit.share("throttle", platform.throttle);
    visit.number("rate", platform.rate);
    visit.range("response_delay", platform.response_delay);
    visit.share("no_answer", platform.no_response);
    visit.share("http_error", platform.http_error);
    visit.shares("error", platform.error, is_decimal);
    visit.duration("token_validity", platform.token_validity);
    visit.range("callback_delay", platform.callback_delay);
    visit.share("callback_duplicate", platform.callback_duplicate);
    visit.share("callback_reorder", platform.callback_reorder);
    visit.share("callback_lost", platform.callback_lost);
    visit.duration("callback_retry", platform.callback_retry);
    visit.number("follows", platform.follows);
    visit.number("writes", platform.writes);
    visit.share("leave", platform.leave);
    customer_fields(platform.customers, visit);
}

template <class Platform, class Visitor> void wecom_fields(Platform& platform, Visitor& visit) {
    wechat_fields(platform, visit);
    visit.share("press", platform.press);
    visit.range("press_delay", platform.press_delay);
    visit.choice("mass_rule", {"month", "week", "day"}, platform.mass_rule);
    visit.duration("dispatch", platform.dispatch);
    visit.count("reminders_max", platform.reminders_max);
    visit.boolean("results_after_cancel", platform.results_after_cancel);
    visit.duration("welcome_validity", platform.welcome_validity);
    visit.count("kf_messages", platform.kf_messages);
    visit.duration("kf_window", platform.kf_window);
    visit.shares("kf_fail", platform.kf_fail, is_decimal);
    visit.count("kf_pulls", platform.kf_pulls);
}

bool is_party_word(std::string_view word) {
    for (const auto* known : {"answer", "machine", "busy", "no_answer", "reject", "do_not_disturb", "invalid", "unreachable", "congestion", "failed"})
        if (word == known) return true;
    return false;
}

bool is_http_error(std::string_view word) { return word.size() == 3 && (word[0] == '4' || word[0] == '5') && is_decimal(word); }

template <class Pbx, class Visitor> void pbx_fields(Pbx& pbx, Visitor& visit) {
    visit.shares("outcome", pbx.outcome, is_party_word);
    visit.hours("answer_by_hour", pbx.answer_by_hour);
    visit.range("ring", pbx.ring);
    visit.range("refuse", pbx.refuse);
    visit.range("talk", pbx.talk);
    visit.range("patience", pbx.patience);
    visit.shares("agent_outcome", pbx.agent_outcome, is_party_word);
    visit.range("agent_ring", pbx.agent_ring);
    visit.number("calls", pbx.calls);
    visit.range("play", pbx.play);
    visit.range("detection", pbx.detection);
    visit.share("detection_error", pbx.detection_error);
    visit.shares("error", pbx.error, is_http_error);
    visit.range("response_delay", pbx.response_delay);
    visit.share("no_answer", pbx.no_response);
    visit.share("reorder", pbx.reorder);
    visit.share("nonsense", pbx.nonsense);
    visit.count("drop_after", pbx.drop_after);
}

template <class Platform, class Visitor> void official_account_fields(Platform& platform, Visitor& visit) {
    wechat_fields(platform, visit);
    visit.count("message_max", platform.message_max);
    visit.duration("message_window", platform.message_window);
    visit.count("action_max", platform.action_max);
    visit.duration("action_window", platform.action_window);
    visit.duration("token_overlap", platform.token_overlap);
    visit.shares("template_result", platform.template_result, is_result_text);
    visit.range("template_delay", platform.template_delay);
    visit.shares("subscribe_result", platform.subscribe_result, is_result_text);
    visit.number("scans", platform.scans);
    visit.number("clicks", platform.clicks);
    visit.text("mass_status", platform.mass_status);
    visit.range("mass_delay", platform.mass_delay);
    visit.count("mass_month_max", platform.mass_month_max);
    visit.duration("client_id_window", platform.client_id_window);
    visit.counts("quotas", platform.quotas);
}

}  // namespace

std::chrono::nanoseconds DelayRange::draw(Random& random) const {
    const std::chrono::nanoseconds low = from;
    if (from == to) return low;
    const std::chrono::nanoseconds span = to - from;
    return low + std::chrono::nanoseconds{random.below(static_cast<std::uint64_t>(span.count()) + 1)};
}

std::string_view draw(const Shares& shares, Random& random) {
    if (shares.empty()) return {};
    if (shares.size() == 1 && shares.front().second >= 1) return shares.front().first;
    auto left = random.unit();
    double sum = 0;
    for (const auto& [word, share] : shares) {
        sum += share;
        if (left < share) return word;
        left -= share;
    }
    // Shares that add up to 1 but for rounding leave no rest.
    return std::abs(sum - 1) < 1e-9 ? std::string_view{shares.back().first} : std::string_view{};
}

void update(Behaviour& behaviour, JsonReader& reader) {
    auto changed = behaviour;
    const auto before = reader.problems().size();
    if (auto smsc = reader.object("smsc")) {
        Reading reading{*smsc};
        smsc_fields(changed.smsc, reading);
        smsc->finish();
    }
    for (const auto& [key, cloud] : {std::pair{"aliyun", &changed.aliyun}, std::pair{"tencent", &changed.tencent}}) {
        auto nested = reader.object(key);
        if (!nested) continue;
        Reading reading{*nested};
        cloud_fields(*cloud, reading);
        nested->finish();
    }
    if (auto wecom = reader.object("wecom")) {
        Reading reading{*wecom};
        wecom_fields(changed.wecom, reading);
        wecom->finish();
    }
    if (auto official_account = reader.object("official_account")) {
        Reading reading{*official_account};
        official_account_fields(changed.official_account, reading);
        official_account->finish();
    }
    if (auto pbx = reader.object("pbx")) {
        Reading reading{*pbx};
        pbx_fields(changed.pbx, reading);
        pbx->finish();
    }
    reader.finish();
    if (reader.problems().size() == before) behaviour = std::move(changed);
}

Json to_json(const Behaviour& behaviour) {
    Json json = Json::object();
    Writing smsc;
    smsc_fields(behaviour.smsc, smsc);
    json["smsc"] = smsc.take();
    for (const auto& [key, cloud] : {std::pair{"aliyun", &behaviour.aliyun}, std::pair{"tencent", &behaviour.tencent}}) {
        Writing writing;
        cloud_fields(*cloud, writing);
        json[key] = writing.take();
    }
    Writing wecom, official_account, pbx;
    pbx_fields(behaviour.pbx, pbx);
    json["pbx"] = pbx.take();
    wecom_fields(behaviour.wecom, wecom);
    official_account_fields(behaviour.official_account, official_account);
    json["wecom"] = wecom.take();
    json["official_account"] = official_account.take();
    return json;
}

}  // namespace touchgate::sandbox
