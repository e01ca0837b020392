#include "adapters/sandbox/wechat/event_sender.hpp"

#include <utility>

#include "adapters/sandbox/wechat/event_xml.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t records_max = 10'000;
constexpr std::size_t answer_max = 4'096;
constexpr int tries_max = 4;  // the first and 3 repeats

}  // namespace

std::string_view name_of(CallbackOutcome outcome) {
    switch (outcome) {
        case CallbackOutcome::waiting: return "waiting";
        case CallbackOutcome::taken: return "taken";
        case CallbackOutcome::given_up: return "given_up";
        case CallbackOutcome::lost: return "lost";
    }
    return "waiting";
}

bool EventSender::set_receiver(const std::string& application, CallbackReceiver receiver) {
    std::optional<CallbackCipher> cipher;
    if (!receiver.target.encoding_aes_key.empty()) {
        cipher = CallbackCipher::make(receiver.target.encoding_aes_key, receiver.receive_id);
        if (!cipher) return false;
    }
    if (!receiver.target.url.empty() && receiver.target.mode != CallbackMode::plain && !cipher) return false;
    receivers_[application] = {.settings = std::move(receiver), .cipher = std::move(cipher)};
    return true;
}

const CallbackReceiver* EventSender::receiver(const std::string& application) const {
    const auto found = receivers_.find(application);
    return found == receivers_.end() ? nullptr : &found->second.settings;
}

std::uint64_t EventSender::add_record(const std::string& application, std::string event, std::string plaintext, Now now) {
    if (records_.size() >= records_max) records_.pop_front();
    records_.push_back(
        {.n = next_record_, .application = application, .event = std::move(event), .plaintext = std::move(plaintext), .at = now.wall, .answer = {}});
    return next_record_++;
}

CallbackRecord* EventSender::find(std::uint64_t n) {
    if (records_.empty() || n < records_.front().n || n > records_.back().n) return nullptr;
    return &records_[static_cast<std::size_t>(n - records_.front().n)];
}

std::uint64_t EventSender::send(const std::string& application, std::string event, std::string plaintext, std::string sender,
                                const WechatBehaviour& behaviour, Now now) {
    const auto found = receivers_.find(application);
    if (found == receivers_.end() || found->second.settings.target.url.empty()) return 0;
    const auto n = add_record(application, std::move(event), plaintext, now);
    if (behaviour.callback_lost > 0 && random_.chance(behaviour.callback_lost)) {
        records_.back().outcome = CallbackOutcome::lost;
        ++lost_;
        return n;
    }
    auto at = now.monotonic + behaviour.callback_delay.draw(random_);
    if (behaviour.callback_reorder > 0 && random_.chance(behaviour.callback_reorder)) at += DelayRange{Duration{200}, Duration{1'000}}.draw(random_);
    Planned planned{.record = n, .application = application, .plaintext = std::move(plaintext), .sender = std::move(sender)};
    if (behaviour.callback_duplicate > 0 && random_.chance(behaviour.callback_duplicate)) schedule_.add(at + 50ms, planned);
    schedule_.add(at, std::move(planned));
    return n;
}

std::uint64_t EventSender::verify(const std::string& application, Now now) {
    const auto found = receivers_.find(application);
    if (found == receivers_.end() || found->second.settings.target.url.empty()) return 0;
    std::string echo;
    for (int i = 0; i < 19; ++i) echo.push_back(static_cast<char>('1' + random_.below(9)));
    const auto n = add_record(application, "verify", echo, now);
    schedule_.add(now.monotonic, {.record = n, .application = application, .plaintext = std::move(echo), .sender = {}, .verification = true});
    return n;
}

std::optional<OutgoingRequest> EventSender::make_request(const Planned& planned, Now now) {
    const auto found = receivers_.find(planned.application);
    if (found == receivers_.end() || found->second.settings.target.url.empty()) return std::nullopt;
    const auto& settings = found->second.settings;
    const auto& cipher = found->second.cipher;
    const bool encrypting = cipher && settings.target.mode != CallbackMode::plain;
    const auto timestamp = std::to_string(unix_ms(now.wall) / 1'000);
    const auto nonce = std::to_string(1'000'000'000 + random_.below(9'000'000'000));
    std::string encrypted;
    // An official account's URL is verified in plain words, whatever its mode.
    if (encrypting && (settings.is_wecom || !planned.verification)) {
        std::array<std::uint8_t, 16> prefix;
        for (auto& byte : prefix) byte = static_cast<std::uint8_t>(random_.below(256));
        encrypted = cipher->encrypt(planned.plaintext, prefix);
    }

    OutgoingRequest request;
    request.url = settings.target.url;
    auto add = [&, first = settings.target.url.find('?') == std::string::npos](std::string_view name, std::string_view value) mutable {
        request.url.append(std::exchange(first, false) ? "?" : "&").append(name).append("=").append(percent_encode(value));
    };
    if (settings.is_wecom) {
        add("msg_signature", callback_signature(settings.target.token, timestamp, nonce, encrypted));
    } else {
        add("signature", callback_signature(settings.target.token, timestamp, nonce));
    }
    add("timestamp", timestamp);
    add("nonce", nonce);
    if (planned.verification) {
        add("echostr", settings.is_wecom ? encrypted : planned.plaintext);
        request.method = "GET";
        return request;
    }
    if (!settings.is_wecom) {
        if (!planned.sender.empty()) add("openid", planned.sender);
        if (encrypting) {
            add("encrypt_type", "aes");
            add("msg_signature", callback_signature(settings.target.token, timestamp, nonce, encrypted));
        }
    }
    request.content_type = "text/xml; charset=utf-8";
    if (!encrypting) {
        request.body = planned.plaintext;
    } else if (settings.target.mode == CallbackMode::compatible) {
        // The message's own elements, and the encrypted form of the whole beside them.
        request.body = planned.plaintext;
        const auto end = request.body.rfind("</xml>");
        std::string element{"<Encrypt><![CDATA["};
        request.body.insert(end == std::string::npos ? request.body.size() : end, element.append(encrypted).append("]]></Encrypt>"));
    } else {
        EventXml envelope;
        envelope.text("ToUserName", settings.to_user).text("Encrypt", encrypted);
        if (!settings.agent_id.empty()) envelope.text("AgentID", settings.agent_id);
        request.body = envelope.finish();
    }
    return request;
}

std::vector<OutgoingRequest> EventSender::take_due(Now now) {
    std::vector<OutgoingRequest> requests;
    while (auto planned = schedule_.pop_due(now.monotonic)) {
        auto request = make_request(*planned, now);
        if (!request) continue;
        ++sent_;
        if (planned->tries++ > 0) ++repeated_;
        if (auto* const record = find(planned->record)) ++record->tries;
        request->id = next_id_++;
        in_flight_.emplace(request->id, std::move(*planned));
        requests.push_back(std::move(*request));
    }
    return requests;
}

std::optional<EventSender::PassiveReply> EventSender::on_answer(std::uint64_t id, int status, std::string_view body, const WechatBehaviour& behaviour,
                                                                Now now) {
    auto found = in_flight_.extract(id);
    if (found.empty()) return std::nullopt;
    auto& planned = found.mapped();
    auto* const record = find(planned.record);
    const bool taken = status == 200 && (!planned.verification || body == planned.plaintext);
    // A duplicate of a callback that was taken does not make it less so.
    const bool was_taken = record != nullptr && record->outcome == CallbackOutcome::taken;
    if (record != nullptr && !was_taken) {
        record->status = status;
        record->answer = std::string{body.substr(0, answer_max)};
    }
    if (taken) {
        ++taken_;
        if (record != nullptr) record->outcome = CallbackOutcome::taken;
        if (planned.verification || was_taken) return std::nullopt;
        return read_reply(planned, body);
    }
    if (planned.verification || planned.tries >= tries_max) {
        ++given_up_;
        if (record != nullptr && !was_taken) record->outcome = CallbackOutcome::given_up;
        return std::nullopt;
    }
    schedule_.add(now.monotonic + behaviour.callback_retry, std::move(planned));
    return std::nullopt;
}

std::optional<EventSender::PassiveReply> EventSender::read_reply(const Planned& planned, std::string_view body) {
    if (body.find("<xml>") == std::string_view::npos) return std::nullopt;
    const auto& receiver = receivers_.at(planned.application);
    const auto encrypted = element_text(body, "Encrypt");
    if (!encrypted) return PassiveReply{.application = planned.application, .xml = std::string{body}};
    const auto timestamp = element_text(body, "TimeStamp"), nonce = element_text(body, "Nonce"), signature = element_text(body, "MsgSignature");
    if (!receiver.cipher || !timestamp || !nonce || !signature) return std::nullopt;
    if (*signature != callback_signature(receiver.settings.target.token, *timestamp, *nonce, *encrypted)) return std::nullopt;
    auto xml = receiver.cipher->decrypt(*encrypted);
    if (!xml) return std::nullopt;
    return PassiveReply{.application = planned.application, .xml = std::move(*xml)};
}

}  // namespace touchgate::sandbox
