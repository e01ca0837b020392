// Text as content rules see it: NFKC, then case folded, so that full-width letters, ligatures and capitals make no difference. And the
// search for many forbidden words at once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::policy {

// NFKC with case folding. Nothing when the text is not valid UTF-8.
[[nodiscard]] std::optional<std::string> fold(std::string_view text);
// The same, and without characters that are not seen (zero-width spaces and joiners, soft hyphens): they would hide a forbidden word.
[[nodiscard]] std::optional<std::string> fold_visible(std::string_view text);

// Both at once; `visible` only where it differs.
struct FoldedText {
    std::string folded;
    std::optional<std::string> visible;
};
[[nodiscard]] std::optional<FoldedText> fold_both(std::string_view text);

[[nodiscard]] std::size_t count_characters(std::string_view valid_utf8);
// Starts or ends with 【…】 with something between the brackets.
[[nodiscard]] bool has_signature(std::string_view text);

// Finds whether any of a set of words is a substring: Aho and Corasick's automaton over bytes; one pass over the text however many words.
class WordSet {
public:
    explicit WordSet(const std::vector<std::string>& words);  // empty words are left out
    [[nodiscard]] bool is_in(std::string_view text) const;
    [[nodiscard]] bool empty() const { return states_.size() == 1; }

private:
    struct Edge {
        unsigned char byte;
        std::uint32_t to;
    };
    struct State {
        std::uint32_t edges_begin = 0;
        std::uint32_t edges_end = 0;
        std::uint32_t fail = 0;
        bool ends = false;  // a word ends here, or at a state that the fail links lead to
    };
    [[nodiscard]] std::uint32_t step(std::uint32_t state, unsigned char byte) const;
    [[nodiscard]] std::uint32_t child(std::uint32_t state, unsigned char byte) const;  // 0: none

    std::vector<State> states_;
    std::vector<Edge> edges_;                     // by state, sorted by byte
    std::array<std::uint32_t, 256> from_root_{};  // the root is where most bytes lead
};

}  // namespace touchgate::policy
