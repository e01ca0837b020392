#include "gateway/policy/text_match.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>

namespace touchgate::policy {

namespace {

std::optional<std::string> map_text(std::string_view text, int more) {
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | more);
    utf8proc_uint8_t* mapped = nullptr;
    const auto size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner{mapped, &std::free};
    if (size < 0) return std::nullopt;
    return std::string{reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

// The character that NFKC and case folding make of `c` whatever stands beside it; 0 when only the library knows. Covers what Chinese,
// Japanese and English messages are made of: ASCII, ideographs, kana, common punctuation and its full-width forms.
constexpr char32_t folded_alone(char32_t c) {
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFF01 - 0x21;
    if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
    const bool same = (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3001 && c <= 0x3020) || (c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FA) ||
                      c == 0x2014 || c == 0x2018 || c == 0x2019 || c == 0x201C || c == 0x201D;
    return same ? c : 0;
}

// The folding of a text made of such characters alone; false as soon as another one is met. It has no invisible characters, so both
// foldings are this one. It is never longer than the text.
bool fold_alone(std::string_view text, std::string& folded) {
    folded.resize(text.size());
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    auto* out = folded.data();
    while (at != end) {
        if (*at < 0x80) {
            if (*at == 0) return false;
            *out++ = static_cast<char>(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
            ++at;
            continue;
        }
        // Three bytes: all that is covered above ASCII.
        if ((*at & 0xF0U) != 0xE0U || end - at < 3 || (at[1] & 0xC0U) != 0x80U || (at[2] & 0xC0U) != 0x80U) return false;
        bool same = *at >= 0xE5 && *at <= 0xE8;  // nothing but ideographs
        if (!same) {
            const char32_t c = (*at & 0x0FU) << 12U | (at[1] & 0x3FU) << 6U | (at[2] & 0x3FU);
            const auto mapped = c < 0x800 ? char32_t{0} : folded_alone(c);  // a longer form than the character needs is not UTF-8
            if (mapped == 0) return false;
            same = mapped >= 0x80;
            if (!same) *out++ = static_cast<char>(mapped);
        }
        if (same) {
            std::memcpy(out, at, 3);
            out += 3;
        }
        at += 3;
    }
    folded.resize(static_cast<std::size_t>(out - folded.data()));
    return true;
}

constexpr std::string_view opening = "【";
constexpr std::string_view closing = "】";

}  // namespace

std::optional<std::string> fold(std::string_view text) {
    std::string folded;
    return fold_alone(text, folded) ? std::optional{std::move(folded)} : map_text(text, 0);
}
std::optional<std::string> fold_visible(std::string_view text) {
    std::string folded;
    return fold_alone(text, folded) ? std::optional{std::move(folded)} : map_text(text, UTF8PROC_IGNORE);
}

std::optional<FoldedText> fold_both(std::string_view text) {
    FoldedText made;
    if (fold_alone(text, made.folded)) return made;
    auto folded = map_text(text, 0);
    auto visible = map_text(text, UTF8PROC_IGNORE);
    if (!folded || !visible) return std::nullopt;
    made.folded = std::move(*folded);
    if (*visible != made.folded) made.visible = std::move(visible);
    return made;
}

std::size_t count_characters(std::string_view valid_utf8) {
    return static_cast<std::size_t>(
        std::count_if(valid_utf8.begin(), valid_utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool has_signature(std::string_view text) {
    if (text.starts_with(opening)) {
        const auto end = text.find(closing);
        if (end != std::string_view::npos && end > opening.size()) return true;
    }
    if (text.ends_with(closing)) {
        const auto begin = text.rfind(opening);
        if (begin != std::string_view::npos && begin + opening.size() + closing.size() < text.size()) return true;
    }
    return false;
}

WordSet::WordSet(const std::vector<std::string>& words) {
    struct Node {
        std::map<unsigned char, std::uint32_t> children;
        bool ends = false;
    };
    std::vector<Node> trie(1);
    for (const auto& word : words) {
        if (word.empty()) continue;
        std::uint32_t at = 0;
        for (const char c : word) {
            const auto byte = static_cast<unsigned char>(c);
            const auto [place, made] = trie[at].children.emplace(byte, static_cast<std::uint32_t>(trie.size()));
            at = place->second;
            if (made) trie.emplace_back();
        }
        trie[at].ends = true;
    }
    states_.resize(trie.size());
    for (std::size_t i = 0; i < trie.size(); ++i) {
        states_[i].edges_begin = static_cast<std::uint32_t>(edges_.size());
        for (const auto& [byte, to] : trie[i].children) edges_.push_back({byte, to});
        states_[i].edges_end = static_cast<std::uint32_t>(edges_.size());
        states_[i].ends = trie[i].ends;
    }
    for (const auto& [byte, to] : trie.front().children) from_root_[byte] = to;
    // Breadth first: a state's fail link leads to a shorter one, which is finished before.
    std::deque<std::uint32_t> queue;
    for (const auto& [byte, to] : trie.front().children) queue.push_back(to);
    while (!queue.empty()) {
        const auto at = queue.front();
        queue.pop_front();
        for (const auto& [byte, to] : trie[at].children) {
            states_[to].fail = step(states_[at].fail, byte);
            states_[to].ends = states_[to].ends || states_[states_[to].fail].ends;
            queue.push_back(to);
        }
    }
}

std::uint32_t WordSet::child(std::uint32_t state, unsigned char byte) const {
    const auto begin = edges_.begin() + states_[state].edges_begin;
    const auto end = edges_.begin() + states_[state].edges_end;
    const auto found = std::lower_bound(begin, end, byte, [](const Edge& edge, unsigned char wanted) { return edge.byte < wanted; });
    return found != end && found->byte == byte ? found->to : 0;
}

std::uint32_t WordSet::step(std::uint32_t state, unsigned char byte) const {
    while (state != 0) {
        if (const auto to = child(state, byte); to != 0) return to;
        state = states_[state].fail;
    }
    return from_root_[byte];
}

bool WordSet::is_in(std::string_view text) const {
    std::uint32_t state = 0;
    for (const char c : text) {
        state = step(state, static_cast<unsigned char>(c));
        if (states_[state].ends) return true;
    }
    return false;
}

}  // namespace touchgate::policy
