#include "gateway/campaign/definition.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "gateway/campaign/steps.hpp"
#include "gateway/json/scalars.hpp"

namespace touchgate::campaign {

std::size_t forms_of(bool has_text, bool has_template_code, const Json& shaped) {
    static constexpr std::array<std::string_view, 3> beside = {"attachments", "visible_range", "response_code"};
    std::size_t beside_others = 0;
    for (const auto word : beside) beside_others += shaped.contains(word) ? 1 : 0;
    if (!has_text && !has_template_code && shaped.size() == beside_others) return std::min<std::size_t>(beside_others, 1);
    return static_cast<std::size_t>(has_text) + static_cast<std::size_t>(has_template_code) + shaped.size() - beside_others;
}

bool is_shaped_value(std::string_view word, const Json& value) {
    if (word == "attachments") return value.is_array() || value.is_object();
    if (word == "response_code") return value.is_string();
    return value.is_object();
}

namespace {

constexpr TextLimits name_limits{1, 200};
constexpr TextLimits text_limits{1, 20'000};

std::vector<std::string> read_names(JsonReader& body, std::string_view key) {
    auto names = body.texts(key);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto pointer = pointer_to(pointer_to(body.pointer(), key), i);
        if (names[i].empty() || names[i].size() > name_limits.bytes_max) body.problems().push_back({pointer, "must have 1 to 200 bytes"});
        else if (!seen.insert(names[i]).second) body.problems().push_back({pointer, "\"" + names[i] + "\" stands in the list twice"});
    }
    return names;
}

void read_scalars(JsonReader& body, std::string_view key, std::vector<std::pair<std::string, std::string>>& to) {
    body.members(key, [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (auto text = scalar_text(value)) to.emplace_back(name, std::move(*text));
        else body.problems().push_back({pointer, "must be a text, a number or true or false"});
    });
}

Content read_content(JsonReader& owner) {
    Content content;
    auto body = owner.object("content");
    if (!body) return content;
    const auto before = owner.problems().size();
    const bool has_text = body->has("text");
    const bool has_code = body->has("template_code");
    content.text = body->text("text", {}, text_limits);
    content.template_code = body->text("template_code", {}, name_limits);
    read_scalars(*body, "params", content.params);
    if (body->has("params") && !has_code) body->problem("params", "belong to a template_code, which is missing");
    auto shaped = Json::object();
    for (const auto word : shaped_content)
        if (const auto* value = body->raw(word)) {
            if (is_shaped_value(word, *value)) shaped[std::string{word}] = *value;
            else body->problem(word, "must be an object");
        }
    body->finish();
    const auto forms = forms_of(has_text, has_code, shaped);
    if (owner.problems().size() == before && forms != 1)
        owner.problem("content", "must have exactly one of text, template_code or one of the channels' own forms, has " + std::to_string(forms));
    if (!shaped.empty()) content.body_json = shaped.dump();
    return content;
}

// "09:00" to "24:00".
bool is_clock_time(std::string_view text, bool end) {
    if (text.size() != 5 || text[2] != ':') return false;
    for (const auto i : {0U, 1U, 3U, 4U})
        if (text[i] < '0' || text[i] > '9') return false;
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    return minute < 60 && (hour < 24 || (end && hour == 24 && minute == 0));
}

void read_window(JsonReader& body, Definition& to) {
    auto window = body.object("window");
    if (!window) return;
    to.from = window->instant("from");
    to.to = window->instant("to");
    if (to.from && to.to && *to.from >= *to.to) window->problem("to", "must be after from");
    static const std::vector<std::string> every_day = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    auto daily = Json::array();
    window->objects("daily", [&](JsonReader& entry, std::size_t) {
        const auto days = entry.texts("days", every_day);
        for (std::size_t i = 0; i < days.size(); ++i)
            if (std::find(every_day.begin(), every_day.end(), days[i]) == every_day.end())
                entry.problems().push_back({pointer_to(pointer_to(entry.pointer(), "days"), i), "must be one of mon, tue, wed, thu, fri, sat, sun"});
        if (days.empty()) entry.problem("days", "must name at least one day");
        const auto from = entry.required_text("from", {1, 20});
        const auto till = entry.required_text("to", {1, 20});
        if (!from.empty() && !is_clock_time(from, false)) entry.problem("from", "must be a clock time such as \"09:00\"");
        if (!till.empty() && !is_clock_time(till, true)) entry.problem("to", "must be a clock time such as \"20:00\", at most \"24:00\"");
        if (is_clock_time(from, false) && is_clock_time(till, true) && from >= till) entry.problem("to", "must be after from; a night is two entries");
        entry.finish();
        daily.push_back({{"days", days}, {"from", from}, {"to", till}});
    });
    if (!daily.empty()) to.daily_json = daily.dump();
    window->finish();
}

void read_arms(JsonReader& body, Definition& to) {
    double shares = 0;
    std::set<std::string> names;
    body.objects("arms", [&](JsonReader& entry, std::size_t) {
        Arm arm;
        arm.name = entry.required_text("name", name_limits);
        if (arm.name == holdout_arm) entry.problem("name", "\"holdout\" is the control group; give its share as `holdout`");
        else if (!arm.name.empty() && !names.insert(arm.name).second) entry.problem("name", "\"" + arm.name + "\" stands in the list twice");
        arm.share = entry.number("share", 0, 0, 1);
        if (!entry.has("share")) entry.problem("share", "is required: a number from 0 to 1");
        arm.template_name = entry.text("template", {}, name_limits);
        arm.content = read_content(entry);
        if (entry.has("template") && entry.has("content")) entry.problem("content", "give either template or content, not both");
        entry.finish();
        shares += arm.share;
        to.arms.push_back(std::move(arm));
    });
    constexpr double rounding = 1e-6;
    if (!to.arms.empty() && std::abs(shares - 1) > rounding) body.problem("arms", "the shares must add up to 1");
    if (to.arms.size() > arms_max) body.problem("arms", "must be at most " + std::to_string(arms_max));
}

// "12.50" or a number, in millionths.
std::optional<std::int64_t> read_money(JsonReader& body, std::string_view key) {
    const auto* value = body.raw(key);
    if (value == nullptr) return std::nullopt;
    double amount = -1;
    if (value->is_number()) amount = value->get<double>();
    else if (value->is_string()) {
        const auto& text = value->get_ref<const std::string&>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
        if (error != std::errc{} || end != text.data() + text.size()) amount = -1;
    }
    constexpr double most = 1e12;
    if (!(amount >= 0) || amount > most) {
        body.problem(key, "must be an amount such as \"250.00\"");
        return std::nullopt;
    }
    return static_cast<std::int64_t>(std::llround(amount * 1e6));
}

void read_stops(JsonReader& body, Definition& to) {
    const auto words = body.texts("stop_on");
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "conversion") to.stop_on.conversion = true;
        else if (words[i] == "reply") to.stop_on.reply = true;
        else if (words[i] == "complaint") to.stop_on.complaint = true;
        else body.problems().push_back({pointer_to(pointer_to(body.pointer(), "stop_on"), i), "must be one of conversion, reply, complaint"});
    }
    if (auto when = body.object("stop_when")) {
        if (when->has("error_rate")) to.stop_when.error_rate = when->number("error_rate", 0, 0, 1);
        if (when->has("complaint_rate")) to.stop_when.complaint_rate = when->number("complaint_rate", 0, 0, 1);
        to.stop_when.budget_micro = read_money(*when, "budget");
        to.stop_when.after = static_cast<std::uint64_t>(when->integer("after", 100, 1, 1'000'000'000));
        when->finish();
    }
    if (auto exclude = body.object("exclude")) {
        to.exclude_lists = read_names(*exclude, "lists");
        to.exclude_campaigns = read_names(*exclude, "campaigns");
        to.exclude_tags = read_names(*exclude, "tags");
        exclude->finish();
    }
}

}  // namespace

Definition read_definition(JsonReader& body) {
    Definition made;
    made.id = body.required_text("id", name_limits);
    made.name = body.text("name", {}, {0, 500});
    made.purpose = body.text("purpose", {}, name_limits);
    made.unit = body.text("unit", {}, name_limits);
    made.template_name = body.text("template", {}, name_limits);
    made.content = read_content(body);
    if (body.has("template") && body.has("content")) body.problem("content", "give either template or content, not both");
    made.channels = read_names(body, "channels");
    read_steps(body, made.channels, made.steps);
    made.cheapest_first = read_cheapest_first(body);
    made.priority = static_cast<int>(body.integer("priority", 50, 0, 100));
    if (const auto text = body.text("rate", {}, {1, 50}); !text.empty()) {
        made.rate = dispatch::parse_rate(text);
        if (!made.rate) body.problem("rate", "must be such as \"500/minute\" (second, minute, hour or day)");
    }
    made.holdout = body.number("holdout", 0, 0, 1);
    read_window(body, made);
    read_arms(body, made);
    made.open_audience = body.choice("audience_mode", {"frozen", "open"}, "frozen") == "open";
    // Without items in the lines, by item is by contact.
    const auto dedupe = body.choice("dedupe", {"contact", "address", "item"}, "item");
    made.dedupe = dedupe == "address" ? Dedupe::address : dedupe == "contact" ? Dedupe::contact : Dedupe::item;
    read_stops(body, made);
    read_scalars(body, "variables", made.variables);
    std::sort(made.variables.begin(), made.variables.end());
    if (body.has("fallback_after")) made.fallback_after = body.duration("fallback_after", Duration{0});
    made.at_least_once = body.choice("delivery", {"at_most_once", "at_least_once"}, "at_most_once") == "at_least_once";
    made.fallback_on_unknown = body.boolean("fallback_on_unknown", false);
    made.callback = body.text("callback", {}, name_limits);
    if (const auto* dialing = body.raw("dialing"); dialing != nullptr && !dialing->is_null()) made.dialing_json = dialing->dump();
    body.finish();
    return made;
}

Definition parse_definition(std::string_view document) {
    const auto json = Json::parse(document, nullptr, false);
    std::vector<Problem> ignored;
    if (!json.is_object()) return {};
    JsonReader body{json, "", ignored};
    auto made = read_definition(body);
    // Some providers' parameters go by position, and Json sorts its members.
    const auto in_order = nlohmann::ordered_json::parse(document, nullptr, false);
    const auto sort = [](Content& content, const nlohmann::ordered_json& owner) {
        if (content.params.size() < 2 || !owner.is_object() || !owner.contains("content") || !owner["content"].contains("params")) return;
        std::vector<std::string> order;
        for (const auto& [name, value] : owner["content"]["params"].items()) order.push_back(name);
        const auto place = [&](const auto& param) { return std::find(order.begin(), order.end(), param.first); };
        std::sort(content.params.begin(), content.params.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    };
    sort(made.content, in_order);
    for (std::size_t i = 0; i < made.arms.size(); ++i) sort(made.arms[i].content, in_order["arms"][i]);
    return made;
}

const std::string& Definition::template_of(std::size_t arm) const {
    const bool own = arm < arms.size() && (!arms[arm].template_name.empty() || !arms[arm].content.empty());
    return own ? arms[arm].template_name : template_name;
}

const Content& Definition::content_of(std::size_t arm) const {
    const bool own = arm < arms.size() && (!arms[arm].template_name.empty() || !arms[arm].content.empty());
    return own ? arms[arm].content : content;
}

bool Definition::has_content() const {
    const auto says = [](const std::string& named, const Content& inline_content) { return !named.empty() || !inline_content.empty(); };
    if (says(template_name, content)) return true;
    return !arms.empty() && std::all_of(arms.begin(), arms.end(), [&](const Arm& arm) { return says(arm.template_name, arm.content); });
}

std::size_t Definition::reservations_max() const {
    constexpr std::size_t least = 1'000;
    constexpr std::size_t most = 10'000;
    if (!rate) return most;
    const double ten_seconds = 10.0 * rate->count / std::chrono::duration<double>(rate->unit).count();
    return std::clamp(static_cast<std::size_t>(std::min(ten_seconds, static_cast<double>(most))), least, most);
}

}  // namespace touchgate::campaign
