// Callbacks: any body and query is answered; only a 200 has events. What is fuzzed is the text inside a valid envelope, and the envelope itself.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "adapters/wechat/callback.hpp"
#include "adapters/wechat/callback_crypto.hpp"

using namespace touchgate;
using namespace touchgate::adapters::wechat;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "<xml><ToUserName><![CDATA[g]]></ToUserName><Encrypt><![CDATA[AAAA]]></Encrypt></xml>",
        "<xml><FromUserName>o</FromUserName><CreateTime>1893456000</CreateTime><MsgType>event</MsgType><Event>SCAN</Event><L><I>1</I></L><L/></xml>",
        "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml>&a;</xml>", R"({"MsgType":"text","List":[{"a":1}]})"};
}

namespace {

void feed(const CallbackSettings& settings, const channel::WebhookRequest& request) {
    const auto answer =
        receive_callback(settings, request, [](const Callback& callback) { return channel::WebhookEvents{.events = {unknown_event(callback)}}; });
    if ((answer.status != 200) == answer.refusal.empty()) std::abort();
    if (answer.status != 200 && (!answer.events.events.empty() || !answer.body.empty())) std::abort();
    for (const auto& event : answer.events.events)
        if (event.id.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input{reinterpret_cast<const char*>(data), size};
    CallbackSettings settings{.platform = Platform::official,
                              .mode = CallbackMode::compatible,
                              .token = "t",
                              .aes_key = read_aes_key(std::string(43, 'A')),
                              .receive_id = "r",
                              .json = true};
    const auto encrypted = encrypt_callback(*settings.aes_key, settings.receive_id, input, {});
    const std::array<std::string_view, 4> parts = {settings.token, "1", "n", encrypted};
    const std::array<std::string_view, 3> plain = {settings.token, "1", "n"};
    const auto query = "timestamp=1&nonce=n&signature=" + callback_signature(plain) + "&msg_signature=" + callback_signature(parts);
    const auto with = [&](std::string more, std::string body) {
        return channel::WebhookRequest{
            .method = "POST", .path_tail = "", .query = std::move(more), .headers = {}, .body = std::move(body), .now = {}};
    };
    feed(settings, with(query, "<xml><Encrypt>" + encrypted + "</Encrypt></xml>"));
    feed(settings, with(query, input));
    feed(settings, with(input, input));
    return 0;
}
