#include "adapters/wechat/passive_reply.hpp"

#include <array>

#include "adapters/wechat/callback.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wechat {

namespace {

// "]]>" would end the section: it is cut between two of them.
std::string in_cdata(std::string_view text) {
    std::string out = "<![CDATA[";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("]]>")) {
            out += "]]]]><![CDATA[>";
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out.append("]]>");
}

}  // namespace

std::string passive_text(const CallbackSettings& settings, std::string_view customer, std::string_view account, std::string_view text,
                         const channel::RequestContext& context) {
    const auto message = "<xml><ToUserName>" + in_cdata(customer) + "</ToUserName><FromUserName>" + in_cdata(account) + "</FromUserName><CreateTime>" +
                         std::to_string(unix_ms(context.now) / 1'000) + "</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>" + in_cdata(text) + "</Content></xml>";
    if (settings.mode == CallbackMode::plain || !settings.aes_key) return message;
    const auto digest = crypto::sha256(context.nonce);
    const auto bytes = crypto::view(digest);
    std::array<std::uint8_t, 16> random{};
    for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(bytes[i]);
    return encrypted_answer(settings, message, context.now, to_hex(bytes.substr(16, 8)), random);
}

}  // namespace touchgate::adapters::wechat
