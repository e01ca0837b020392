// What a corporation's callback may hold: any decrypted bytes that are XML become exactly one event or message, and any request is answered.
#include <cstdint>
#include <cstdlib>

#include "adapters/wecom/adapter.hpp"
#include "adapters/wecom_common/events.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {"<xml><MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>add_external_contact</ChangeType><UserID>a</UserID>"
            "<ExternalUserID>wm1</ExternalUserID><State>s</State><WelcomeCode>w</WelcomeCode><CreateTime>1893456101</CreateTime></xml>",
            "<xml><MsgType>event</MsgType><Event>change_external_chat</Event><ChangeType>update</ChangeType><UpdateDetail>add_member</UpdateDetail><ChatId>wr1</ChatId>"
            "<MemChangeList><Item>wm1</Item></MemChangeList></xml>",
            "<xml><MsgType>event</MsgType><Event>template_card_event</Event><EventKey>k</EventKey><ResponseCode>r</ResponseCode><FromUserName>a</FromUserName>"
            "<SelectedItems><SelectedItem><QuestionKey>q</QuestionKey><OpitonIds><OpitonId>o</OpitonId></OpitonIds></SelectedItem></SelectedItems></xml>",
            "<xml><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>wk1</OpenKfId></xml>",
            "<xml><MsgType>text</MsgType><Content>x</Content><FromUserName>a</FromUserName><MsgId>1</MsgId><AgentID>2</AgentID></xml>"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    if (auto message = adapters::wechat::read_xml(text)) {
        adapters::wechat::Callback callback{.text = text, .message = std::move(*message), .at = {}};
        callback.at = adapters::wechat::read_unix_time(callback["CreateTime"]);
        const auto events = adapters::wecom_common::read_corp_callback(callback);
        if (events.events.size() + events.messages.size() != 1) std::abort();
        for (const auto& event : events.events)
            if (event.id.empty() || event.kind.empty()) std::abort();
    }
    return 0;
}
