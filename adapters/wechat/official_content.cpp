#include "adapters/wechat/official_content.hpp"

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/json/scalars.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::Content;
using channel::member;
using channel::Submission;

constexpr std::size_t id_bytes_max = 512;
constexpr std::size_t mass_recipients_min = 2;
constexpr std::size_t mass_recipients_max = 10'000;

constexpr std::string_view template_word = "template_message";
constexpr std::string_view subscribe_word = "subscribe_message";
constexpr std::string_view mass_word = "mass";

// Members of a message's object. Those of arrays and objects are looked into one by one, see the functions below.
struct Shape {
    std::string_view kind;
    std::array<std::string_view, 4> required = {};
    std::array<std::string_view, 4> optional = {};
};
// Source: WeChat developer pages of the customer-service message; mass messages have the same objects.
constexpr std::array shapes = std::to_array<Shape>({
    {"text", {"content"}},
    {"image", {"media_id"}},
    {"voice", {"media_id"}},
    {"video", {"media_id"}, {"thumb_media_id", "title", "description"}},
    {"music", {"musicurl", "hqmusicurl", "thumb_media_id"}, {"title", "description"}},
    {"news", {"articles"}},
    {"mpnews", {"media_id"}},
    {"mpnewsarticle", {"article_id"}},
    {"msgmenu", {"list"}, {"head_content", "tail_content"}},
    {"wxcard", {"card_id"}, {"card_ext"}},
    {"miniprogrampage", {"title", "pagepath", "thumb_media_id"}, {"appid"}},
    {"link", {"title", "url"}, {"description", "thumb_url"}},
    {"images", {"media_ids"}, {"recommend", "need_open_comment", "only_fans_can_comment"}},
    {"mpvideo", {"media_id"}, {"title", "description"}},
});
constexpr std::array mass_kinds = std::to_array<std::string_view>({"text", "image", "images", "voice", "mpnews", "mpvideo", "wxcard"});

template <class Range>
bool holds(const Range& range, std::string_view word) {
    return std::find(range.begin(), range.end(), word) != range.end();
}

const Shape* shape_of(std::string_view kind) {
    const auto found = std::find_if(shapes.begin(), shapes.end(), [&](const Shape& each) { return each.kind == kind; });
    return found == shapes.end() ? nullptr : &*found;
}

// The one word of the content and its object: {"image": {"media_id": …}}. A null object when there is none or more than one.
struct Worded {
    std::string word;
    Json object;
};
Worded worded(const Content& content, const ContentRules& rules) {
    const int forms = (content.text.empty() ? 0 : 1) + (content.template_code.empty() ? 0 : 1) + (content.body_json.empty() ? 0 : 1);
    if (forms != 1) return {};
    if (!content.text.empty()) return {"text", {{"content", content.text}}};
    if (!content.template_code.empty()) {
        auto data = Json::object();
        for (const auto& [name, value] : content.params) data[name] = {{"value", value}};
        const auto word = rules.template_code_form == MessageForm::subscribe ? subscribe_word : template_word;
        return {std::string{word}, {{"template_id", content.template_code}, {"data", std::move(data)}}};
    }
    auto body = channel::parse_foreign_json(content.body_json);
    if (!body.is_object() || body.size() != 1) return {};
    return {body.begin().key(), body.begin().value()};
}

MessageForm form_of_word(std::string_view word) {
    if (word == template_word) return MessageForm::template_;
    if (word == subscribe_word) return MessageForm::subscribe;
    return word == mass_word ? MessageForm::mass : MessageForm::custom;
}

std::string dumped(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

// ---- What is wrong.

class Checker {
public:
    Checker(const ContentRules& rules, std::vector<Problem>& problems) : rules_{rules}, problems_{problems} {}

    void whole(const Content& content) {
        const auto [word, object] = worded(content, rules_);
        if (word.empty()) return add("", "must be a text, a template_code or exactly one object of a kind of message");
        const auto pointer = content.body_json.empty() ? std::string{} : pointer_to("", word);
        switch (form_of_word(word)) {
            case MessageForm::template_:
                if (!rules_.template_messages) return add(pointer, not_offered(word));
                return templated(object, pointer, std::array<std::string_view, 2>{"url", "miniprogram"});
            case MessageForm::subscribe: return templated(object, pointer, rules_.subscribe_members);
            case MessageForm::mass:
                if (!rules_.mass) return add(pointer, not_offered(word));
                return mass(object, pointer);
            case MessageForm::custom: break;
        }
        if (!holds(rules_.custom_kinds, word)) return add(pointer, not_offered(word));
        message(word, object, pointer.empty() ? "/text" : pointer);
    }

private:
    void add(std::string pointer, std::string detail) { problems_.push_back({std::move(pointer), std::move(detail)}); }

    std::string not_offered(std::string_view word) const {
        return std::string{rules_.channel}.append(" has no content of the kind \"").append(word).append("\"");
    }

    // A text within its limits.
    void text(const Json& object, std::string_view name, const std::string& pointer, std::size_t bytes_max) {
        const auto& value = member(object, name);
        if (!value.is_string() || value.get_ref<const std::string&>().empty()) add(pointer_to(pointer, name), "must be a text");
        else if (value.get_ref<const std::string&>().size() > bytes_max)
            add(pointer_to(pointer, name), "must have at most " + std::to_string(bytes_max) + " bytes");
    }

    template <class Known>
    void known_only(const Json& object, const std::string& pointer, Known known) {
        for (const auto& [name, value] : object.items())
            if (!known(name)) add(pointer_to(pointer, name), "there is no such field");
    }

    void message(std::string_view kind, const Json& object, const std::string& pointer) {
        const auto* shape = shape_of(kind);
        if (shape == nullptr || !object.is_object()) return add(pointer, "must be an object");
        known_only(object, pointer,
                   [&](std::string_view name) { return !name.empty() && (holds(shape->required, name) || holds(shape->optional, name)); });
        for (const auto name : shape->required) {
            if (name.empty()) continue;
            if (name == "articles") articles(member(object, name), pointer_to(pointer, name));
            else if (name == "list") menu(member(object, name), pointer_to(pointer, name));
            else if (name == "media_ids") ids(member(object, name), pointer_to(pointer, name), 1, 20);
            else if (name == "content") content_text(object, pointer);
            else text(object, name, pointer, rules_.text_bytes_max);
        }
        if (kind == "msgmenu" || kind == "images") return;
        for (const auto name : shape->optional)
            if (!name.empty() && object.contains(name)) text(object, name, pointer, rules_.text_bytes_max);
    }

    // A plain `text` has no object whose member could be named.
    void content_text(const Json& object, const std::string& pointer) {
        const auto text_pointer = pointer == "/text" ? pointer : pointer_to(pointer, "content");
        const auto& value = member(object, "content");
        if (!value.is_string() || value.get_ref<const std::string&>().empty()) add(text_pointer, "must be a text");
        else if (value.get_ref<const std::string&>().size() > rules_.text_bytes_max)
            add(text_pointer, "must have at most " + std::to_string(rules_.text_bytes_max) + " bytes in UTF-8, has " +
                                  std::to_string(value.get_ref<const std::string&>().size()));
    }

    void articles(const Json& value, const std::string& pointer) {
        if (!value.is_array() || value.size() != 1) return add(pointer, "must be an array of one article");
        const auto at = pointer_to(pointer, std::size_t{0});
        if (!value[0].is_object()) return add(at, "must be an object");
        known_only(value[0], at, [](std::string_view name) { return name == "title" || name == "description" || name == "url" || name == "picurl"; });
        text(value[0], "title", at, rules_.text_bytes_max);
    }

    void menu(const Json& value, const std::string& pointer) {
        if (!value.is_array() || value.empty()) return add(pointer, "must be an array of the menu's entries");
        for (std::size_t i = 0; i < value.size(); ++i) {
            const auto at = pointer_to(pointer, i);
            const auto& id = member(value[i], "id");
            if (!id.is_string() && !id.is_number_integer()) add(pointer_to(at, "id"), "must be a text or a whole number");
            text(value[i], "content", at, rules_.text_bytes_max);
        }
    }

    void ids(const Json& value, const std::string& pointer, std::size_t min, std::size_t max) {
        const auto is_id = [](const Json& each) { return each.is_string() && !each.get_ref<const std::string&>().empty(); };
        if (!value.is_array() || value.size() < min || value.size() > max || !std::all_of(value.begin(), value.end(), is_id))
            add(pointer, "must be an array of " + std::to_string(min) + " to " + std::to_string(max) + " ids");
    }

    template <class Members>
    void templated(const Json& object, const std::string& pointer, const Members& members) {
        if (!object.is_object()) return add(pointer, "must be an object");
        known_only(object, pointer, [&](std::string_view name) { return name == "template_id" || name == "data" || holds(members, name); });
        text(object, "template_id", pointer, id_bytes_max);
        if (const auto& page = member(object, "miniprogram"); !page.is_null()) {
            if (!page.is_object()) add(pointer_to(pointer, "miniprogram"), "must be an object with appid and pagepath");
            else text(page, "appid", pointer_to(pointer, "miniprogram"), id_bytes_max);
        }
        for (const std::string_view name : {"url", "page", "miniprogram_state", "lang"})
            if (object.contains(name)) text(object, name, pointer, rules_.text_bytes_max);
        const auto at = pointer_to(pointer, "data");
        const auto& data = member(object, "data");
        if (!data.is_object()) return add(at, "must be an object of the template's fields, such as {\"thing1\": {\"value\": \"…\"}}");
        const auto declared = rules_.templates.find(channel::text_member(object, "template_id"));
        if (declared != rules_.templates.end())
            for (const auto& key : declared->second)
                if (!data.contains(key)) add(pointer_to(at, key), "is missing: the template has this field");
        for (const auto& [key, field] : data.items()) {
            if (declared != rules_.templates.end() && !holds(declared->second, key)) add(pointer_to(at, key), "the template has no such field");
            data_field(key, field, pointer_to(at, key));
        }
    }

    void data_field(const std::string& key, const Json& field, const std::string& pointer) {
        const auto value = scalar_text(member(field, "value"));
        if (!value) return add(pointer, "must be an object with a value that is a text or a number");
        known_only(field, pointer, [](std::string_view name) { return name == "value" || name == "color"; });
        const auto kind = std::string_view{key}.substr(0, key.find_last_not_of("0123456789") + 1);
        const auto limit = rules_.field_lengths.find(kind);
        if (kind.size() == key.size() || limit == rules_.field_lengths.end()) return;
        if (const auto characters = to_code_points(*value).size(); characters > limit->second)
            add(pointer_to(pointer, "value"),
                "must have at most " + std::to_string(limit->second) + " characters, has " + std::to_string(characters));
    }

    void mass(const Json& object, const std::string& pointer) {
        if (!object.is_object()) return add(pointer, "must be an object");
        const auto is_target = [](std::string_view name) { return name == "tag_id" || name == "to_all" || name == "touser"; };
        int targets = 0;
        int kinds = 0;
        for (const auto& [name, value] : object.items()) {
            if (is_target(name)) {
                ++targets;
            } else if (holds(mass_kinds, name)) {
                ++kinds;
                message(name, value, pointer_to(pointer, name));
            } else if (name == "msgtype") {
                // As the platform's own documents write it, beside the object that it names.
                if (!value.is_string() || !object.contains(value.get_ref<const std::string&>()) || !holds(mass_kinds, value.get_ref<const std::string&>()))
                    add(pointer_to(pointer, name), "must name the kind of message that is there");
            } else if (name != "send_ignore_reprint") {
                add(pointer_to(pointer, name), "there is no such field");
            }
        }
        if (targets != 1) add(pointer, "must have exactly one of tag_id, to_all and touser");
        if (kinds != 1) add(pointer, "must have exactly one kind of message, such as mpnews");
        if (object.contains("tag_id") && !object["tag_id"].is_number_integer()) add(pointer_to(pointer, "tag_id"), "must be a whole number");
        if (object.contains("to_all") && object["to_all"] != Json(true)) add(pointer_to(pointer, "to_all"), "must be true");
        if (object.contains("touser")) ids(object["touser"], pointer_to(pointer, "touser"), mass_recipients_min, mass_recipients_max);
    }

    const ContentRules& rules_;
    std::vector<Problem>& problems_;
};

// ---- Bodies.

MessageRequest mass_request(const Json& object, const Submission& submission) {
    auto body = object.is_object() ? object : Json::object();
    const bool listed = body.contains("touser");
    if (!listed) {
        Json filter = {{"is_to_all", body.contains("to_all")}};
        if (body.contains("tag_id")) filter["tag_id"] = body["tag_id"];
        body["filter"] = std::move(filter);
        body.erase("to_all");
        body.erase("tag_id");
    }
    for (const auto kind : mass_kinds)
        if (body.contains(kind)) body["msgtype"] = kind;
    if (!body.contains("send_ignore_reprint")) body["send_ignore_reprint"] = 0;
    body["clientmsgid"] = repeat_id(submission);
    return {listed ? "/cgi-bin/message/mass/send" : "/cgi-bin/message/mass/sendall", dumped(body)};
}

}  // namespace

std::map<std::string, std::size_t, std::less<>> default_field_lengths() {
    return {{"thing", 20}, {"character_string", 32}, {"phrase", 5},    {"number", 32}, {"letter", 32},
            {"symbol", 5}, {"phone_number", 17},     {"car_number", 8}};
}

MessageForm form_of(const Content& content, const ContentRules& rules) { return form_of_word(worded(content, rules).word); }

std::vector<Problem> content_problems(const Content& content, const ContentRules& rules) {
    std::vector<Problem> problems;
    Checker{rules, problems}.whole(content);
    return problems;
}

std::string repeat_id(const Submission& submission) { return to_hex(submission.touch.view()); }

MessageRequest message_request(const Submission& submission, const ContentRules& rules) {
    auto [word, object] = worded(submission.content, rules);
    const auto form = form_of_word(word);
    if (form == MessageForm::mass) return mass_request(object, submission);
    Json body = {{"touser", submission.to}};
    if (form == MessageForm::custom) {
        body["msgtype"] = word;
        if (!word.empty()) body[word] = std::move(object);
        return {"/cgi-bin/message/custom/send", dumped(body)};
    }
    if (object.is_object())
        for (auto& [name, value] : object.items())
            if (name != "touser") body[name] = std::move(value);
    if (form == MessageForm::subscribe) return {rules.subscribe_path, dumped(body)};
    body["client_msg_id"] = repeat_id(submission);
    return {"/cgi-bin/message/template/send", dumped(body)};
}

}  // namespace touchgate::adapters::wechat
