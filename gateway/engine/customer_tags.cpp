// A messaging platform's tags as tags of the contact. Each employee tags his own customers; a contact has a tag while one of those whom he has gave
// it to him. Tags that callers wrote are left alone.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

// By the fold: what a whole record of a customer says of one employee's tags.
void Engine::Internals::note_tags(const PlatformEventSecret& values, std::uint32_t address, Symbol account, const std::string& employee) {
    auto& followers = address_row(address).reached().followers;
    const auto found = std::find_if(followers.begin(), followers.end(), [&](const Reach::Follower& each) { return each.account == account && each.employee == employee; });
    if (found == followers.end()) return;
    found->tags.clear();
    if (values.body_json.find("\"tags\"") == std::string::npos) return;
    const auto body = Json::parse(values.body_json, nullptr, false);
    const auto tags = body.is_object() ? body.find("tags") : body.end();
    if (!body.is_object() || tags == body.end() || !tags->is_array()) return;
    for (const auto& tag : *tags)
        if (tag.is_string() && !tag.get_ref<const std::string&>().empty()) found->tags.push_back(state.symbols.intern(tag.get_ref<const std::string&>()));
}

void Engine::Internals::keep_tags(ContactIndex contact, AccountNumber number) {
    const auto& account = accounts[number];
    const auto& names = account.settings.tag_names;
    const auto prefix = account.settings.name + ":";
    const auto name_of = [&](std::string_view id) {
        const auto named = names.find(id);
        return named == names.end() ? prefix + std::string{id} : named->second;
    };
    std::vector<std::string> wanted;
    for (const auto address : state.contacts[contact.value].addresses) {
        const auto* reach = state.addresses[address].reach.get();
        if (reach == nullptr) continue;
        for (const auto& follower : reach->followers)
            if (follower.account == account.symbol)
                for (const auto tag : follower.tags) wanted.push_back(name_of(state.symbols.name(tag)));
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());

    const auto is_platforms = [&](std::string_view tag) {
        return tag.starts_with(prefix) || std::any_of(names.begin(), names.end(), [&](const auto& named) { return named.second == tag; });
    };
    std::vector<std::string> has;
    if (const auto* extras = state.contacts[contact.value].extras.get())
        for (const auto tag : extras->tags)
            if (is_platforms(state.symbols.name(tag))) has.emplace_back(state.symbols.name(tag));
    std::sort(has.begin(), has.end());
    if (has == wanted) return;

    auto values = secret_of(contact);
    std::erase_if(values.tags, is_platforms);
    values.tags.insert(values.tags.end(), wanted.begin(), wanted.end());
    const auto* extras = state.contacts[contact.value].extras.get();
    emit(contact, ContactUpdated{.owner = extras ? extras->owner : std::string{}, .unit = extras ? extras->unit : std::string{},
                                 .legal_hold = extras != nullptr && extras->legal_hold, .sealed = seal_for(contact, values)});
}

}  // namespace touchgate
