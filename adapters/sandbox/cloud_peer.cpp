#include "adapters/sandbox/cloud_peer.hpp"

#include <algorithm>
#include <utility>

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t sends_max = 2'000'000;  // kept for queries
constexpr std::size_t pull_max = 100'000;
constexpr auto early_answer_delay = 100ms;

}  // namespace

std::string china_time(Instant at) {
    auto text = format_instant(at + 8h);
    text[10] = ' ';
    return text.substr(0, 19);
}

std::string normal_phone(std::string_view number) {
    bool international = false;
    if (number.starts_with("+")) {
        number.remove_prefix(1);
        international = true;
    } else if (number.starts_with("00")) {
        number.remove_prefix(2);
        international = true;
    }
    for (const char c : number)
        if (c < '0' || c > '9') return {};
    const auto mainland = [](std::string_view rest) { return rest.size() == 11 && rest[0] == '1' && rest[1] >= '3'; };
    if (number.size() == 13 && number.starts_with("86")) return mainland(number.substr(2)) ? std::string{number} : std::string{};
    if (!international) return mainland(number) ? "86" + std::string{number} : std::string{};
    if (number.starts_with("86")) return {};
    return number.size() >= 7 && number.size() <= 15 ? std::string{number} : std::string{};
}

std::pair<std::string_view, std::string_view> split_phone(std::string_view phone) {
    const std::size_t code = phone.starts_with("1") || phone.starts_with("7") ? 1 : phone.starts_with("85") || phone.starts_with("88") ? 3 : 2;
    return {phone.substr(0, code), phone.size() > code ? phone.substr(code) : std::string_view{}};
}

CloudPeer::CloudPeer(Via via, CloudSettings settings, const CloudBehaviour& behaviour, MessageStore& store, Random& random)
    : settings_{std::move(settings)}, behaviour_{behaviour}, store_{store}, random_{random}, via_{via}, customers_{random} {}

std::string CloudPeer::new_id() {
    std::string id;
    for (int i = 0; i < 2; ++i) {
        auto word = random_.next();
        for (int k = 0; k < 16; ++k, word >>= 4U) id.push_back("0123456789ABCDEF"[word & 0xFU]);
    }
    for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, "-");
    return id;
}

std::uint64_t CloudPeer::new_serial(Now now) {
    if (serial_ == 0) serial_ = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms(now.wall), 1)) * 100'000;
    return ++serial_;
}

HttpReply CloudPeer::refuse(int status, std::string_view code, std::string_view message) {
    count_refused(code);
    return refusal(status, code, message);
}

HttpReply CloudPeer::handle(const HttpRequest& request, Now now) {
    ++statistics_.requests;
    const auto delay = behaviour_.response_delay.is_zero() ? 0ns : behaviour_.response_delay.draw(random_);
    if (behaviour_.http_error > 0 && random_.chance(behaviour_.http_error)) {
        count_refused("http");
        return {.status = 503, .content_type = "text/html", .body = "<html><body>503 Service Temporarily Unavailable</body></html>", .delay = delay};
    }
    if (!bucket_.take(behaviour_.rate, now.monotonic) || (behaviour_.throttle > 0 && random_.chance(behaviour_.throttle))) {
        auto refused = refuse(throttle_status(), throttle_code(), "Request was denied due to user flow control.");
        refused.delay = delay;
        return refused;
    }
    early_drawn_ = false;
    const auto accepted_before = statistics_.accepted;
    auto reply = answer(request, now);
    reply.delay += delay;
    if (early_drawn_) reply.delay = std::max<std::chrono::nanoseconds>(reply.delay, early_answer_delay);
    if (statistics_.accepted != accepted_before && behaviour_.no_response > 0 && random_.chance(behaviour_.no_response)) {
        ++statistics_.unanswered;
        reply.hang_up = true;
    } else {
        for (auto number = accepted_before; number < statistics_.accepted; ++number)
            if (const auto* const send = find(number)) store_.set_answered(send->part);
    }
    return reply;
}

bool CloudPeer::sign_name_known(std::string_view name) const {
    if (name.empty()) return false;
    return settings_.sign_names.empty() || std::find(settings_.sign_names.begin(), settings_.sign_names.end(), name) != settings_.sign_names.end();
}

CloudPeer::Rendered CloudPeer::render(std::string_view sign_name, std::string_view code, const Json& values, std::string_view open,
                                      std::string_view close) const {
    Rendered rendered;
    rendered.text.append("【").append(sign_name).append("】");
    const auto found = settings_.templates.find(code);
    if (found == settings_.templates.end()) {
        if (!settings_.templates.empty()) rendered.fault = Rendered::Fault::no_template;
        rendered.text.append(code);
        if (!values.empty()) rendered.text.append(" ").append(values.dump());
        return rendered;
    }
    std::string_view rest = found->second;
    while (!rest.empty()) {
        const auto start = rest.find(open);
        const auto end = start == std::string_view::npos ? start : rest.find(close, start + open.size());
        if (end == std::string_view::npos) break;
        const auto name = trim(rest.substr(start + open.size(), end - start - open.size()));
        rendered.text.append(rest.substr(0, start));
        const auto value = values.is_object() ? values.find(std::string{name}) : values.end();
        if (value != values.end()) rendered.text.append(value->is_string() ? value->get<std::string>() : value->dump());
        else rendered.fault = Rendered::Fault::no_value;
        rest.remove_prefix(end + close.size());
    }
    rendered.text.append(rest);
    return rendered;
}

void CloudPeer::accept(NewSend&& message, Now now) {
    auto& send = message.send;
    // The stored bytes begin with what the list shows; the request follows as evidence.
    std::string raw{message.wire_number};
    raw.append(send.sign_name).append(send.text);
    const auto at = [](std::size_t position, std::size_t size) { return Slice{static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(size)}; };
    const auto to = at(0, std::min<std::size_t>(message.wire_number.size(), 255));
    const auto from = at(message.wire_number.size(), std::min<std::size_t>(send.sign_name.size(), 255));
    const auto payload = at(message.wire_number.size() + send.sign_name.size(), send.text.size());
    raw.append(message.raw);
    send.part = store_.add_part({.raw = raw, .to = to, .from = from, .payload = payload, .coding = Coding::utf8, .at = now.wall,
                                 .user = store_.intern_user(message.user), .via = via_});
    store_.add_message({&send.part, 1});
    send.at = now.wall;

    const auto number = first_send_ + sends_.size();
    ++statistics_.accepted;
    by_phone_.emplace(send.phone, number);
    sends_.push_back(std::move(send));
    if (sends_.size() > sends_max) {
        const auto [from_it, to_it] = by_phone_.equal_range(sends_.front().phone);
        for (auto it = from_it; it != to_it; ++it) {
            if (it->second != first_send_) continue;
            by_phone_.erase(it);
            break;
        }
        sends_.pop_front();
        ++first_send_;
    }
    const auto& kept = sends_.back();

    const auto stat = draw(behaviour_.receipts, random_);
    if (!stat.empty() && !(behaviour_.missing_receipt > 0 && random_.chance(behaviour_.missing_receipt))) {
        const bool early = behaviour_.early_receipt > 0 && random_.chance(behaviour_.early_receipt);
        early_drawn_ = early_drawn_ || early;
        const auto delay = early ? 0ns : behaviour_.receipt_delay.draw(random_);
        Event event{.is_receipt = true, .send = number, .stat = std::string{stat}, .phone = {}, .extension = {}, .sign_name = {}, .text = {}};
        schedule_.add(now.monotonic + delay, event);
        if (behaviour_.duplicate_receipt > 0 && random_.chance(behaviour_.duplicate_receipt))
            schedule_.add(now.monotonic + delay + behaviour_.receipt_delay.draw(random_), std::move(event));
    }
    if (auto reply = customers_.on_message(behaviour_.customers, kept.phone))
        schedule_.add(now.monotonic + reply->after, {.is_receipt = false, .send = 0, .stat = {}, .phone = kept.phone, .extension = kept.extension,
                                                     .sign_name = kept.sign_name, .text = std::move(reply->text)});
}

CloudPeer::Send* CloudPeer::find(std::uint64_t number) {
    if (number < first_send_ || number - first_send_ >= sends_.size()) return nullptr;
    return &sends_[number - first_send_];
}

std::vector<const CloudPeer::Send*> CloudPeer::sends_to(std::string_view phone) const {
    std::vector<std::uint64_t> numbers;
    const auto [from, to] = by_phone_.equal_range(std::string{phone});
    for (auto it = from; it != to; ++it) numbers.push_back(it->second);
    std::sort(numbers.rbegin(), numbers.rend());
    std::vector<const Send*> found;
    for (const auto number : numbers) found.push_back(&sends_[number - first_send_]);
    return found;
}

void CloudPeer::on_event(const Event& event, Now now) {
    if (event.is_receipt) {
        auto* const send = find(event.send);
        if (send == nullptr) return;
        if (send->stat.empty()) {
            send->stat = event.stat;
            send->reported = now.wall;
            store_.set_state(send->part, send->delivered() ? PartState::delivered : PartState::failed, store_.intern_stat(event.stat));
            if (auto item = pulled_receipt(*send); item && pull_receipts_.size() < pull_max) pull_receipts_.push_back(std::move(*item));
        }
        if (behaviour_.receipt_url.empty()) return;
        ++statistics_.receipts;
        callbacks_.plan(now.monotonic, behaviour_.receipt_url, true, receipt_item(*send));
        return;
    }
    if (auto item = pulled_message(event.phone, event.extension, event.sign_name, event.text, now.wall); item && pull_messages_.size() < pull_max)
        pull_messages_.push_back(std::move(*item));
    if (behaviour_.mo_url.empty()) return;
    const auto item = message_item(event.phone, event.extension, event.sign_name, event.text, new_serial(now), now.wall);
    const bool repeat = behaviour_.mo_repeat > 0 && random_.chance(behaviour_.mo_repeat);
    for (int i = 0; i < (repeat ? 2 : 1); ++i) {
        ++statistics_.messages;
        callbacks_.plan(now.monotonic + i * 50ms, behaviour_.mo_url, messages_as_array(), item);
    }
}

std::vector<OutgoingRequest> CloudPeer::take_requests(Now now) {
    while (auto event = schedule_.pop_due(now.monotonic)) on_event(*event, now);
    return callbacks_.take_due(now.monotonic, static_cast<std::size_t>(std::max<std::int64_t>(behaviour_.callback_batch, 1)));
}

std::optional<std::chrono::nanoseconds> CloudPeer::wake_at() const {
    const auto own = schedule_.next();
    const auto theirs = callbacks_.wake_at();
    if (own && theirs) return std::min(*own, *theirs);
    return own ? own : theirs;
}

void CloudPeer::on_callback_answer(std::uint64_t id, int status, std::string_view body, Now now) {
    bool taken = false;
    if (status == 200) {
        const auto json = parse_json(body);
        taken = json && json->is_object() && is_taken(*json);
    }
    callbacks_.on_answer(id, taken, now.monotonic, behaviour_.retry_scale);
}

bool CloudPeer::inbound(std::string_view from, std::string_view to, std::string_view text, Now now) {
    if (behaviour_.mo_url.empty()) return false;
    if (from.starts_with("+")) from.remove_prefix(1);
    const auto earlier = sends_to(from);
    schedule_.add(now.monotonic, {.is_receipt = false, .send = 0, .stat = {}, .phone = std::string{from}, .extension = std::string{to},
                                  .sign_name = earlier.empty() ? std::string{} : earlier.front()->sign_name, .text = std::string{text}});
    return true;
}

}  // namespace touchgate::sandbox
