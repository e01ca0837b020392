// A touch's content: kept in memory while it waits, read back from the log when it was dropped, rendered for a channel when it is judged or
// sent. The same frozen bytes give the same text both times.

#include "gateway/content/message_text.hpp"
#include "gateway/content/signature.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {


Json to_json(const Variables& variables) {
    Json object = Json::object();
    for (const auto& [name, value] : variables) object[name] = value;
    return object;
}

}  // namespace

std::optional<CachedContent> Engine::Internals::open_content(ContactIndex contact, std::string_view sealed) const {
    TouchSecret values;
    if (!unseal_of(contact, sealed, values)) return std::nullopt;
    return CachedContent{.key = std::move(values.key),
                         .variables = std::move(values.variables),
                         .content = {.text = std::move(values.text), .text_is_template = values.text_is_template, .template_code = std::move(values.template_code),
                                     .params = std::move(values.params), .body_json = std::move(values.body_json)},
                         .metadata = {values.metadata.begin(), values.metadata.end()}};
}

CachedContent* Engine::Internals::content_of(Touch& owner) {
    if (owner.content) return owner.content.get();
    std::string buffer;
    const auto record = parts.reader.at(owner.created_position, buffer);
    TouchCreated created;
    if (!record || !decode(record->payload, created)) return nullptr;
    auto opened = open_content(owner.contact, created.sealed);
    if (!opened) return nullptr;
    owner.content = std::make_unique<CachedContent>(std::move(*opened));
    ++cached_contents;
    return owner.content.get();
}

const TemplateRecord* Engine::Internals::template_of(const Touch& owner) const {
    return owner.template_number == 0 ? nullptr : &state.templates[owner.template_number];
}

Result<channel::Content> Engine::Internals::render(const CachedContent& content, const TemplateRecord* used, const policy::Profile& profile,
                                                   std::string_view locale) const {
    channel::Content out;
    if (used != nullptr) {
        if (!used->parsed) return invalid("/template", "template \"" + used->name + "\" cannot be read any more");
        const auto account = account_numbers.find(state.symbols.name(profile.account));
        const std::string_view adapter = account == account_numbers.end() ? std::string_view{} : std::string_view{accounts[account->second].settings.adapter};
        auto rendered = used->parsed->render({.channel = state.symbols.name(profile.channel), .account = state.symbols.name(profile.account),
                                              .adapter = adapter, .locale = locale.empty() ? std::string_view{settings.default_locale} : locale},
                                             to_json(content.variables));
        if (!rendered) return rendered.error();
        out.text = std::move(rendered->text);
        out.template_code = std::move(rendered->template_code);
        out.params = std::move(rendered->params);
        out.body_json = std::move(rendered->body_json);
        return out;
    }
    out.template_code = content.content.template_code;
    out.params = content.content.params;
    out.body_json = content.content.body_json;
    if (!content.content.text_is_template) {
        out.text = content.content.text;
        return out;
    }
    const auto parsed = content::MessageText::parse(content.content.text);
    if (!parsed) return invalid("/content/text", parsed.error().detail);
    auto text = parsed->render(to_json(content.variables));
    if (!text) return text.error();
    out.text = std::move(*text);
    return out;
}

void Engine::Internals::apply(const RecordMeta&, const TemplateRegistered& event) {
    if (state.template_by_hash.contains(event.hash)) return;
    std::vector<Problem> problems;
    TemplateRecord record{.name = event.name, .hash = event.hash, .document = event.document,
                          .parsed = content::Template::parse(event.document, event.name, problems)};
    state.template_by_hash.emplace(event.hash, static_cast<std::uint32_t>(state.templates.size()));
    state.templates.push_back(std::move(record));
}

// Every wording in force is in the log before a touch can name it.
void Engine::Internals::register_templates() {
    if (!settings.templates) return;
    for (const auto& name : settings.templates->names()) {
        const auto found = settings.templates->find(name);
        const auto& hash = found->document_hash();
        if (!state.template_by_hash.contains(hash))
            emit(ContactIndex{}, TemplateRegistered{.name = name, .hash = hash, .document = found->bytes()});
    }
}

}  // namespace touchgate
