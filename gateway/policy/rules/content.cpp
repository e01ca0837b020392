// {"kind": "content", "signature": true, "required_all": […], "required_any": […], "forbidden": […], "forbidden_file": "words.txt",
//  "max_characters": 500, "max_segments": 3}: about the text as it leaves, after NFKC and case folding. A text that is not known denies.
#include <algorithm>

#include "gateway/policy/rule.hpp"
#include "gateway/policy/text_match.hpp"

namespace touchgate::policy {

// Both foldings of one text, made once per decision however many content rules bind.
struct NormalizedContent {
    std::optional<FoldedText> text;  // nothing: not valid UTF-8
    [[nodiscard]] const std::string& folded() const { return text->folded; }
    [[nodiscard]] const std::string& visible() const { return text->visible ? *text->visible : text->folded; }
};

namespace {

const NormalizedContent& normalized(const Evaluation& evaluation) {
    if (evaluation.content == nullptr) {
        auto made = std::make_shared<NormalizedContent>();
        made->text = fold_both(evaluation.request.content.text);
        evaluation.content = std::move(made);
    }
    return *evaluation.content;
}

class Content final : public Rule {
public:
    explicit Content(RuleReader& reader) {
        signature_ = reader.json.boolean("signature", false);
        all_ = folded_words(reader, "required_all", fold);
        any_ = folded_words(reader, "required_any", fold);
        auto forbidden = folded_words(reader, "forbidden", fold_visible);
        if (const auto file = reader.json.text("forbidden_file"); !file.empty()) read_file(reader, file, forbidden);
        if (!forbidden.empty()) forbidden_.emplace(forbidden);
        max_characters_ = reader.json.integer("max_characters", -1, 0, 1'000'000);
        max_segments_ = reader.json.integer("max_segments", -1, 0, 255);
        if (!signature_ && all_.empty() && any_.empty() && !forbidden_ && max_characters_ < 0 && max_segments_ < 0)
            reader.warn("", "the rule asks for nothing");
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        const auto why = refusal(evaluation);
        return why == Why::allowed ? Judgement::allow(at) : Judgement::deny(why);
    }
    bool reads_content() const override { return true; }

private:
    Why refusal(const Evaluation& evaluation) const {
        const auto& content = evaluation.request.content;
        if (!content.has_text) return Why::no_text;
        const auto& text = normalized(evaluation);
        if (!text.text) return Why::cannot_evaluate;
        if (signature_ && content.sign_name.empty() && !has_signature(text.folded())) return Why::no_signature;
        const auto has = [&](const std::string& word) { return text.folded().find(word) != std::string::npos; };
        if (!std::all_of(all_.begin(), all_.end(), has)) return Why::required_text_missing;
        if (!any_.empty() && std::none_of(any_.begin(), any_.end(), has)) return Why::required_text_missing;
        if (forbidden_ && forbidden_->is_in(text.visible())) return Why::forbidden_text;
        if (max_characters_ >= 0 && characters(content, text) > max_characters_) return Why::too_long;
        if (max_segments_ >= 0 && content.segments > max_segments_) return Why::too_many_segments;
        return Why::allowed;
    }

    // With the signature that the provider puts before the text.
    static std::int64_t characters(const ContentView& content, const NormalizedContent& text) {
        auto count = count_characters(text.folded());
        if (!content.sign_name.empty()) count += count_characters(content.sign_name) + (has_signature(content.sign_name) ? 0 : 2);
        return static_cast<std::int64_t>(count);
    }

    static std::vector<std::string> folded_words(RuleReader& reader, std::string_view key, std::optional<std::string> (*folding)(std::string_view)) {
        std::vector<std::string> words;
        const auto found = reader.json.texts(key);
        for (std::size_t i = 0; i < found.size(); ++i) {
            auto folded = folding(found[i]);
            if (folded && !folded->empty()) words.push_back(std::move(*folded));
            else
                reader.json.problems().push_back({pointer_to(pointer_to(reader.json.pointer(), key), i), "must have at least one visible character"});
        }
        return words;
    }

    static void read_file(RuleReader& reader, const std::string& file, std::vector<std::string>& words) {
        if (!reader.context.forbidden_words)
            return reader.json.problem("forbidden_file", "files of words cannot be read here: list the words in `forbidden`");
        const auto loaded = reader.context.forbidden_words(file);
        if (!loaded) return reader.json.problem("forbidden_file", loaded.error().detail);
        for (const auto& word : *loaded)
            if (auto folded = fold_visible(word); folded && !folded->empty()) words.push_back(std::move(*folded));
    }

    bool signature_ = false;
    std::vector<std::string> all_;
    std::vector<std::string> any_;
    std::optional<WordSet> forbidden_;
    std::int64_t max_characters_ = -1;
    std::int64_t max_segments_ = -1;
};

}  // namespace

std::unique_ptr<Rule> make_content(RuleReader& reader) { return std::make_unique<Content>(reader); }

}  // namespace touchgate::policy
