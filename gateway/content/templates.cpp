#include "gateway/content/templates.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::content {

namespace {

constexpr std::size_t document_bytes_max = 256 * 1024;

std::string canonical_locale(std::string_view locale) {
    auto folded = to_lower_ascii(locale);
    std::replace(folded.begin(), folded.end(), '_', '-');
    return folded;
}

std::string_view language_of(std::string_view canonical) { return canonical.substr(0, canonical.find('-')); }

bool is_number(const std::string& text) { return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos; }

std::optional<MessageText> read_text(const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    if (!value.is_string()) {
        problems.push_back({pointer, std::string{"must be a string, is "} + value.type_name()});
        return std::nullopt;
    }
    auto parsed = MessageText::parse(value.get_ref<const std::string&>());
    if (!parsed) {
        problems.push_back({pointer, parsed.error().detail});
        return std::nullopt;
    }
    return std::move(parsed).value();
}

// Finds the strings of a provider-shaped body that hold variables.
void collect_body_texts(const Json& value, const std::string& pointer, const std::string& inner, std::map<std::string, MessageText>& texts,
                        std::vector<Problem>& problems) {
    if (value.is_object()) {
        for (const auto& [key, member] : value.items()) collect_body_texts(member, pointer_to(pointer, key), pointer_to(inner, key), texts, problems);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) collect_body_texts(value[i], pointer_to(pointer, i), pointer_to(inner, i), texts, problems);
    } else if (value.is_string() && value.get_ref<const std::string&>().find("{{") != std::string::npos) {
        if (auto text = read_text(value, pointer, problems)) texts.emplace(inner, std::move(*text));
    }
}

Wording read_wording(const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    Wording wording;
    if (!value.is_object() || value.empty()) {
        problems.push_back({pointer, "must be an object with \"text\" or with the provider's kind of content, such as \"template_message\""});
        return wording;
    }
    for (const auto& [key, member] : value.items()) {
        if (key == "text") {
            wording.text = read_text(member, pointer_to(pointer, key), problems);
            if (member == "") problems.push_back({pointer_to(pointer, key), "must not be empty"});
            continue;
        }
        if (!member.is_object()) {
            problems.push_back({pointer_to(pointer, key), std::string{"must be an object, is "} + member.type_name()});
            continue;
        }
        wording.body[key] = member;
        collect_body_texts(member, pointer_to(pointer, key), pointer_to("", key), wording.body_texts, problems);
    }
    return wording;
}

// "params" is a list (named "1", "2", …) or an object; the order of an object's names is numeric when all are numbers, else alphabetical.
std::vector<std::pair<std::string, MessageText>> read_params(const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    std::vector<std::pair<std::string, MessageText>> params;
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            if (auto text = read_text(value[i], pointer_to(pointer, i), problems)) params.emplace_back(std::to_string(i + 1), std::move(*text));
        return params;
    }
    if (!value.is_object()) {
        problems.push_back({pointer, std::string{"must be an object or a list of strings, is "} + value.type_name()});
        return params;
    }
    for (const auto& [key, member] : value.items())
        if (auto text = read_text(member, pointer_to(pointer, key), problems)) params.emplace_back(key, std::move(*text));
    if (std::all_of(params.begin(), params.end(), [](const auto& param) { return is_number(param.first); }))
        std::sort(params.begin(), params.end(), [](const auto& a, const auto& b) { return std::stoul(a.first) < std::stoul(b.first); });
    return params;
}

ProviderEntry read_provider(const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    ProviderEntry entry;
    JsonReader reader{value, pointer, problems};
    entry.template_code = reader.text("template_code", {}, {1, 200});
    if (const auto* params = reader.raw("params"); params != nullptr) entry.params = read_params(*params, pointer_to(pointer, "params"), problems);
    if (const auto* text = reader.raw("text"); text != nullptr) entry.text = read_text(*text, pointer_to(pointer, "text"), problems);
    if (value.is_object() && !reader.has("template_code") && !reader.has("text")) reader.problem_here("needs \"template_code\", \"text\" or both");
    reader.finish();
    return entry;
}

Filing read_filing(JsonReader& reader) {
    Filing filing;
    filing.account = reader.required_text("account");
    filing.carrier = reader.text("carrier");
    filing.signature = reader.text("signature");
    filing.template_id = reader.text("template_id");
    if (!reader.has("status")) reader.problem("status", "is required");
    const auto status = reader.choice("status", {"pending", "approved", "rejected", "suspended"}, "pending");
    filing.status = status == "approved"    ? Filing::Status::approved
                    : status == "rejected"  ? Filing::Status::rejected
                    : status == "suspended" ? Filing::Status::suspended
                                            : Filing::Status::pending;
    filing.valid_from = reader.instant("valid_from");
    filing.valid_until = reader.instant("valid_until");
    if (filing.valid_from && filing.valid_until && *filing.valid_from >= *filing.valid_until)
        reader.problem("valid_until", "must be after valid_from");
    reader.finish();
    return filing;
}

// Collects the problems of several texts, each variable named once.
class Rendering {
public:
    explicit Rendering(const Json& variables) : variables_{variables} {}
    std::string operator()(const MessageText& text) {
        auto rendered = text.render(variables_);
        if (rendered) return std::move(rendered).value();
        for (const auto& problem : rendered.error().problems)
            if (std::none_of(problems_.begin(), problems_.end(), [&](const Problem& known) { return known.pointer == problem.pointer; }))
                problems_.push_back(problem);
        if (rendered.error().problems.empty()) problems_.push_back({"", rendered.error().detail});
        return {};
    }
    [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

private:
    const Json& variables_;
    std::vector<Problem> problems_;
};

}  // namespace

std::shared_ptr<const Template> Template::parse(std::string_view bytes, std::string_view expected_name, std::vector<Problem>& problems) {
    if (bytes.size() > document_bytes_max) {
        problems.push_back({"", "is larger than " + std::to_string(document_bytes_max) + " bytes"});
        return nullptr;
    }
    const auto json = parse_json_with_comments(bytes);
    if (!json) {
        problems.push_back({"", json.error().detail});
        return nullptr;
    }
    std::vector<Problem> found;
    auto parsed = std::make_shared<Template>();
    parsed->bytes_ = bytes;
    parsed->document_hash_ = crypto::document_hash(bytes);
    parsed->hash_ = to_hex(crypto::view(crypto::sha256(bytes)));
    JsonReader reader{*json, "", found};
    parsed->read(reader, expected_name);
    if (found.empty()) return parsed;
    problems.insert(problems.end(), found.begin(), found.end());
    return nullptr;
}

void Template::read(JsonReader& reader, std::string_view expected_name) {
    auto& problems = reader.problems();
    name_ = reader.text("name", std::string{expected_name}, {1, 200});
    if (!expected_name.empty() && name_ != expected_name) reader.problem("name", "must be the file's name, \"" + std::string{expected_name} + "\"");
    reader.raw("$schema");
    reader.text("description", {}, {0, 10'000});
    reader.members("channels", [&](const std::string& channel, const Json& locales, const std::string& pointer) {
        if (!locales.is_object() || locales.empty()) {
            problems.push_back({pointer, "must be an object with a wording per locale, such as {\"zh-CN\": {\"text\": \"…\"}}"});
            return;
        }
        for (const auto& [locale, wording] : locales.items())
            channels_[channel][locale] = read_wording(wording, pointer_to(pointer, locale), problems);
    });
    reader.members("providers", [&](const std::string& provider, const Json& entry, const std::string& pointer) {
        providers_.emplace(provider, read_provider(entry, pointer, problems));
    });
    if (!reader.has("channels") && !reader.has("providers")) reader.problem_here("needs \"channels\", \"providers\" or both");
    purposes_ = reader.texts("purposes");
    reader.objects("filings", [&](JsonReader& filing, std::size_t) { filings_.push_back(read_filing(filing)); });
    reader.members("replies", [&](const std::string& word, const Json& answer, const std::string& pointer) {
        if (!answer.is_string() || answer == "") problems.push_back({pointer, "must be the name of an answer, such as \"decline\""});
        else if (normalise_reply(word).empty()) problems.push_back({pointer, "\"" + word + "\" is nothing that a customer could type"});
        else replies_.emplace(word, answer.get<std::string>());
    });
    reader.finish();
}

bool Template::serves(std::string_view purpose) const {
    return purposes_.empty() || std::find(purposes_.begin(), purposes_.end(), purpose) != purposes_.end();
}

bool Template::filed_for(std::string_view account, std::string_view carrier, Instant now) const {
    return filings_.empty() || std::any_of(filings_.begin(), filings_.end(), [&](const Filing& filing) {
               return filing.account == account && filing.status == Filing::Status::approved &&
                      (filing.carrier.empty() || carrier.empty() || filing.carrier == carrier) && (!filing.valid_from || now >= *filing.valid_from) &&
                      (!filing.valid_until || now < *filing.valid_until);
           });
}

std::vector<const Filing*> Template::filings_ending(Instant now, Duration span) const {
    std::vector<const Filing*> ending;
    for (const auto& filing : filings_)
        if (filing.status == Filing::Status::approved && filing.valid_until && *filing.valid_until < now + span) ending.push_back(&filing);
    return ending;
}

const ProviderEntry* Template::provider_for(std::string_view account, std::string_view adapter) const {
    for (const auto name : {account, adapter})
        if (const auto found = providers_.find(name); found != providers_.end()) return &found->second;
    return nullptr;
}

const Template::Locales* Template::wordings_for(std::string_view channel) const {
    const auto found = channels_.find(channel);
    return found == channels_.end() ? nullptr : &found->second;
}

bool Template::covers(std::string_view channel, std::string_view account, std::string_view adapter) const {
    return wordings_for(channel) != nullptr || provider_for(account, adapter) != nullptr;
}

std::vector<std::string> Template::channels() const {
    std::vector<std::string> names;
    for (const auto& [channel, locales] : channels_) names.push_back(channel);
    return names;
}

std::string_view Template::code_for(std::string_view account, std::string_view adapter) const {
    const auto* provider = provider_for(account, adapter);
    return provider == nullptr ? std::string_view{} : std::string_view{provider->template_code};
}

Result<RenderedMessage> Template::render(const RenderTarget& target, const Json& variables) const {
    RenderedMessage message;
    Rendering rendered{variables};
    const auto* provider = provider_for(target.account, target.adapter);
    const auto* wordings = wordings_for(target.channel);
    if (provider == nullptr && wordings == nullptr)
        return invalid("/template", "the template \"" + name_ + "\" has no wording for the channel " + std::string{target.channel});
    if (provider != nullptr) {
        message.template_code = provider->template_code;
        for (const auto& [name, text] : provider->params) message.params.emplace_back(name, rendered(text));
    }
    if (provider != nullptr && provider->text) {
        message.text = rendered(*provider->text);  // the approved wording is what the customer will read
    } else if (wordings != nullptr) {
        std::vector<std::string> locales;
        for (const auto& [locale, wording] : *wordings) locales.push_back(locale);
        message.locale = choose_locale(locales, target.locale);
        const auto& wording = wordings->at(message.locale);
        if (wording.text) message.text = rendered(*wording.text);
        if (!wording.body.is_null()) {
            auto body = wording.body;
            for (const auto& [pointer, text] : wording.body_texts) body[Json::json_pointer{pointer}] = rendered(text);
            if (rendered.problems().empty()) message.body_json = body.dump(-1, ' ', false, Json::error_handler_t::replace);
        }
    }
    if (!rendered.problems().empty()) {
        std::string detail;
        for (const auto& problem : rendered.problems()) detail += (detail.empty() ? "" : "; ") + problem.detail;
        return Error{.kind = ErrorKind::invalid_input, .detail = detail, .problems = rendered.problems()};
    }
    return message;
}

std::string choose_locale(const std::vector<std::string>& locales, std::string_view wanted) {
    if (locales.empty()) return {};
    const auto find = [&](auto matches) -> const std::string* {
        for (const auto& locale : locales)
            if (matches(canonical_locale(locale))) return &locale;
        return nullptr;
    };
    const auto canonical = canonical_locale(wanted);
    if (!canonical.empty()) {
        const auto language = language_of(canonical);
        if (const auto* same = find([&](const std::string& locale) { return locale == canonical; })) return *same;
        if (const auto* bare = find([&](const std::string& locale) { return locale == language; })) return *bare;
        if (const auto* sibling = find([&](const std::string& locale) { return language_of(locale) == language; })) return *sibling;
    }
    for (const std::string_view fallback : {"zh-cn", "en"})
        if (const auto* found = find([&](const std::string& locale) { return locale == fallback; })) return *found;
    return locales.front();
}

}  // namespace touchgate::content
