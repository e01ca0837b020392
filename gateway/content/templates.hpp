// Message templates: one document per template, templates/<name>.json, with a wording per channel and locale, what is registered at
// providers, the purposes it may serve, its filings (报备) and the replies that it asks for. Format: templates/template.schema.json.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"
#include "gateway/content/message_text.hpp"
#include "gateway/content/reply_words.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::content {

// One wording for one channel and locale: a text, or a provider-shaped body whose strings are mustache ("template_message": {…}).
struct Wording {
    std::optional<MessageText> text = {};
    Json body = {};  // null when there is only a text
    std::map<std::string, MessageText> body_texts = {};  // by pointer into `body`: its strings that hold variables
};

// What an account or adapter knows the template as.
struct ProviderEntry {
    std::string template_code;
    std::vector<std::pair<std::string, MessageText>> params;  // in the provider's order (see read of "params")
    std::optional<MessageText> text;                          // the approved wording
};

struct Filing {
    enum class Status { pending, approved, rejected, suspended };
    std::string account;
    std::string carrier;  // empty: all
    std::string signature;
    std::string template_id;
    Status status = Status::pending;
    std::optional<Instant> valid_from;
    std::optional<Instant> valid_until;
};

// Where a template is to be rendered for.
struct RenderTarget {
    std::string_view channel;
    std::string_view account;
    std::string_view adapter;
    std::string_view locale;  // of the contact, "en-GB"; may be empty
};

struct RenderedMessage {
    std::string text;           // what the customer reads, as far as it is known; content rules and cost are judged on it
    std::string template_code;  // registered at the provider; empty for free text
    std::vector<std::pair<std::string, std::string>> params;
    std::string body_json;      // provider-shaped content; empty when there is none
    std::string locale;         // of the wording that was chosen
};

// Immutable after `parse`; may be used on any thread.
class Template {
public:
    // `expected_name` is the file's name without .json. Nothing when there are problems; each is added with its pointer.
    [[nodiscard]] static std::shared_ptr<const Template> parse(std::string_view bytes, std::string_view expected_name,
                                                               std::vector<Problem>& problems);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    [[nodiscard]] const crypto::Hash128& document_hash() const { return document_hash_; }  // of `bytes`
    // Lower-case hex SHA-256 of the document's bytes: freezes a touch's wording.
    [[nodiscard]] const std::string& hash() const { return hash_; }
    [[nodiscard]] const DeclaredReplies& replies() const { return replies_; }
    [[nodiscard]] const std::vector<Filing>& filings() const { return filings_; }
    [[nodiscard]] const std::vector<std::string>& purposes() const { return purposes_; }

    // A template that names no purposes serves all.
    [[nodiscard]] bool serves(std::string_view purpose) const;
    // False when the template has filings and none is approved and valid for this account now. `carrier` may be empty (not known): then a
    // filing for any carrier serves.
    [[nodiscard]] bool filed_for(std::string_view account, std::string_view carrier, Instant now) const;
    // Approved filings that end within `span` from now.
    [[nodiscard]] std::vector<const Filing*> filings_ending(Instant now, Duration span) const;

    // True when a wording or a provider entry exists for the target.
    [[nodiscard]] bool covers(std::string_view channel, std::string_view account, std::string_view adapter) const;
    [[nodiscard]] std::vector<std::string> channels() const;
    // The code under which an account or its adapter knows this template; empty when it is not registered there.
    [[nodiscard]] std::string_view code_for(std::string_view account, std::string_view adapter) const;

    // Errors (invalid_input): /template when it does not cover the target; /variables/<name> for each missing variable.
    [[nodiscard]] Result<RenderedMessage> render(const RenderTarget& target, const Json& variables) const;

private:
    using Locales = std::map<std::string, Wording>;
    void read(JsonReader& reader, std::string_view expected_name);
    [[nodiscard]] const ProviderEntry* provider_for(std::string_view account, std::string_view adapter) const;
    [[nodiscard]] const Locales* wordings_for(std::string_view channel) const;

    std::string name_;
    std::string bytes_;
    crypto::Hash128 document_hash_;
    std::string hash_;
    std::map<std::string, Locales, std::less<>> channels_;
    std::map<std::string, ProviderEntry, std::less<>> providers_;
    std::vector<std::string> purposes_;
    std::vector<Filing> filings_;
    DeclaredReplies replies_;
};

// The key in `locales` that serves `wanted`: the same locale, its language, another locale of that language, zh-CN, en, the first.
// Case and '_' for '-' do not matter. Empty only when there are none.
[[nodiscard]] std::string choose_locale(const std::vector<std::string>& locales, std::string_view wanted);

struct FileProblems {
    std::string file;
    std::vector<Problem> problems;
};

// The templates in force, by name, and every version seen since the start, by hash. Not thread-safe while being changed: build a new one
// and swap it.
class TemplateStore {
public:
    // Reads every *.json of the folder but *.schema.json. Files with problems are left out and listed; a folder that cannot be read is one
    // problem of its own. Versions that `previous` knew stay available by hash.
    [[nodiscard]] static TemplateStore load(const std::filesystem::path& folder, std::vector<FileProblems>& problems,
                                            const TemplateStore* previous = nullptr);

    // Puts a template in force under its name.
    void add(std::shared_ptr<const Template> added);
    // Makes a frozen version available by hash only (its bytes come from the touch log).
    void remember(std::shared_ptr<const Template> version);

    [[nodiscard]] std::shared_ptr<const Template> find(std::string_view name) const;
    [[nodiscard]] std::shared_ptr<const Template> find_version(std::string_view hash) const;
    // By code as registered at a provider ("SMS_1"), for an account or its adapter.
    [[nodiscard]] std::shared_ptr<const Template> find_code(std::string_view template_code, std::string_view account, std::string_view adapter) const;
    [[nodiscard]] std::vector<std::string> names() const;

private:
    std::map<std::string, std::shared_ptr<const Template>, std::less<>> by_name_;
    std::map<std::string, std::shared_ptr<const Template>, std::less<>> by_hash_;
};

}  // namespace touchgate::content
