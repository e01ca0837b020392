// Callbacks in plain mode, so that the platform's messages and events themselves are fuzzed: each 200 has something in it, and events have ids.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "adapters/official_account/adapter.hpp"
#include "adapters/wechat/callback_crypto.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    const std::string head = "<xml><FromUserName>o</FromUserName><CreateTime>1893456000</CreateTime>";
    return {head + "<MsgType>text</MsgType><Content><![CDATA[x]]></Content><MsgId>1</MsgId></xml>",
            head + "<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_a</EventKey></xml>",
            head + "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>1</MsgID><Status>failed: user block</Status></xml>",
            head + "<MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event><MsgID>1</MsgID><Status>err(1)</Status></xml>",
            head +
                "<MsgType>event</MsgType><Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>T</TemplateId>"
                "<SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent></xml>"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto adapter = [] {
        static const Json settings = {{"app_id", "id"}, {"app_secret", "secret"}, {"token", "t"}, {"mode", "plain"}, {"callback_max_skew", nullptr}};
        static std::vector<Problem> problems;
        JsonReader reader{settings, "", problems};
        return std::get<std::unique_ptr<channel::ExchangeAdapter>>(
            adapters::official_account_adapter().make(reader, {.name = "a", .default_region = "CN"}));
    }();
    constexpr std::array<std::string_view, 3> parts = {"t", "1", "n"};
    const auto answer = adapter->receive({.method = "POST",
                                          .path_tail = "",
                                          .query = "timestamp=1&nonce=n&signature=" + adapters::wechat::callback_signature(parts),
                                          .headers = {},
                                          .body = std::string{reinterpret_cast<const char*>(data), size},
                                          .now = {}});
    const auto& events = answer.events;
    const auto count = events.events.size() + events.messages.size() + events.receipts.size();
    if ((answer.status == 200) != (count > 0)) std::abort();
    for (const auto& event : events.events)
        if (event.id.empty() || event.kind.empty()) std::abort();
    for (const auto& message : events.messages)
        if (message.from.empty() || (message.provider_id.empty() && message.fingerprint.empty())) std::abort();
    for (const auto& receipt : events.receipts)
        if (receipt.provider_ids.empty()) std::abort();
    return 0;
}
