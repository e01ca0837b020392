// A touch's content as a message of api.weixin.qq.com: which call takes it, what is wrong with it, and the request's body. Official accounts and mini
// programs differ in what they offer. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/error.hpp"
#include "gateway/channel/submission.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::wechat {

enum class MessageForm : std::uint8_t {
    custom,     // customer service: free content within a reply window; nothing makes a repeat safe
    template_,  // a service notice by a template; client_msg_id makes a repeat safe
    subscribe,  // by a template that the customer accepted
    mass,       // to many at once; clientmsgid makes a repeat safe
};

// What a platform offers, and what an account's settings say of it.
struct ContentRules {
    std::string_view channel;                        // for problems
    std::span<const std::string_view> custom_kinds;  // "text", "image" …
    bool template_messages = false;
    bool mass = false;
    std::span<const std::string_view> subscribe_members;  // beside template_id and data
    std::string_view subscribe_path;
    MessageForm template_code_form = MessageForm::template_;  // what `template_code` with `params` means
    std::size_t text_bytes_max = 2'048;
    std::map<std::string, std::vector<std::string>, std::less<>> templates =
        {};                                                              // template id → the keys of its data, for those that the account lists
    std::map<std::string, std::size_t, std::less<>> field_lengths = {};  // kind of a field ("thing" of "thing1") → characters
};

// The longest values that the platform takes in a field of each kind, as far as they are known; an account may say otherwise.
[[nodiscard]] std::map<std::string, std::size_t, std::less<>> default_field_lengths();

[[nodiscard]] MessageForm form_of(const channel::Content& content, const ContentRules& rules);

// Pointers are relative to the content ("/image/media_id"). Empty: the platform's documents allow it.
[[nodiscard]] std::vector<Problem> content_problems(const channel::Content& content, const ContentRules& rules);

struct MessageRequest {
    std::string_view path;
    std::string body;
};
// Content with problems gives a request that the platform refuses, never another message than the one that was meant.
[[nodiscard]] MessageRequest message_request(const channel::Submission& submission, const ContentRules& rules);

// The id under which a repeat is recognised: of the touch, so that every attempt of it has the same. 32 characters.
[[nodiscard]] std::string repeat_id(const channel::Submission& submission);

}  // namespace touchgate::adapters::wechat
