#include "gateway/content/reply_words.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "gateway/base/text.hpp"

namespace touchgate::content {

namespace {

constexpr std::size_t reply_bytes_max = 400;

std::string fold(std::string_view text) {
    utf8proc_uint8_t* folded = nullptr;
    const auto size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &folded,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
    if (size < 0) return {};
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned{folded, &std::free};
    return {reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size)};
}

bool is_blank(char32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
           category == UTF8PROC_CATEGORY_CC;
}

bool is_punctuation(char32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_han(char32_t c) { return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF); }
// Letters that belong to one word: an apostrophe keeps "don't" whole.
bool is_word_letter(char32_t c) { return !is_blank(c) && !is_punctuation(c) && !is_han(c); }

void strip_front(std::u32string_view& text) {
    while (!text.empty() && (is_blank(text.front()) || is_punctuation(text.front()))) text.remove_prefix(1);
}
void strip_back(std::u32string_view& text) {
    while (!text.empty() && (is_blank(text.back()) || is_punctuation(text.back()))) text.remove_suffix(1);
}
void strip_blanks_front(std::u32string_view& text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

// Runs of letters, each run all Han or without Han.
std::vector<std::u32string> tokens_of(std::u32string_view text) {
    std::vector<std::u32string> tokens;
    bool open = false;
    bool open_han = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = text[i];
        const bool inner_apostrophe = (c == U'\'' || c == U'’') && open && !open_han && i + 1 < text.size() && is_word_letter(text[i + 1]);
        const bool han = is_han(c);
        if (!han && !is_word_letter(c) && !inner_apostrophe) {
            open = false;
            continue;
        }
        if (!open || open_han != han) tokens.emplace_back();
        tokens.back().push_back(c);
        open = true;
        open_han = han;
    }
    return tokens;
}

// Words that may stand beside an opt-out word without changing its meaning.
bool is_filler(const std::string& token) {
    static constexpr std::array fillers = {"please",   "pls",    "plz",     "now",      "me",   "it",     "this",    "these",   "the",    "sms",
                                           "msg",      "msgs",   "message", "messages", "text", "texts",  "texting", "sending", "send",   "spam",
                                           "spamming", "just",   "thanks",  "thank",    "you",  "thx",    "all",     "i",       "want",   "to",
                                           "my",       "number", "sir",     "hi",       "ok",   "请",     "请您",    "谢谢",    "谢谢您", "谢",
                                           "我要",     "我想",   "给我",    "要",       "了",   "吧",     "啊",      "呀",      "啦",     "嗯",
                                           "您好",     "你好",   "好的",    "请回复",   "请回", "我回复", "我回",    "回复",    "回"};
    return std::any_of(fillers.begin(), fillers.end(), [&](const char* filler) { return token == filler; });
}

// "不退订", "不想退订", "别退订": the sender does not want out. "不能退订" and "无法退订" complain that he cannot get out.
bool negated(std::u32string_view before) {
    if (!before.empty() && std::u32string_view{U"要想用会是给"}.find(before.back()) != std::u32string_view::npos) before.remove_suffix(1);
    return !before.empty() && std::u32string_view{U"不别没未勿莫甭"}.find(before.back()) != std::u32string_view::npos;
}

// Damerau-Levenshtein (optimal string alignment) distance.
std::size_t distance(std::u32string_view a, std::u32string_view b) {
    std::vector<std::vector<std::size_t>> cells(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cells[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cells[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            cells[i][j] = std::min({cells[i - 1][j] + 1, cells[i][j - 1] + 1, cells[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) cells[i][j] = std::min(cells[i][j], cells[i - 2][j - 2] + 1);
        }
    return cells[a.size()][b.size()];
}

bool is_swap_or_doubling(std::u32string_view typed, std::u32string_view word) {
    if (typed.size() == word.size())
        for (std::size_t i = 0; i + 1 < word.size(); ++i) {
            std::u32string swapped{word};
            std::swap(swapped[i], swapped[i + 1]);
            if (swapped == typed && typed != word) return true;
        }
    if (typed.size() == word.size() + 1)
        for (std::size_t i = 0; i < word.size(); ++i) {
            std::u32string doubled{word};
            doubled.insert(i, 1, word[i]);
            if (doubled == typed) return true;
        }
    return false;
}

// One word typed badly. Short words have too many real neighbours (stop: shop, step, top), so they allow only swapped or doubled letters.
bool is_slip(std::u32string_view typed, std::u32string_view word) {
    if (word.size() < 4 || typed.empty() || typed.front() != word.front()) return false;
    if (is_swap_or_doubling(typed, word)) return true;
    const std::size_t allowed = word.size() >= 9 ? 2 : word.size() >= 7 ? 1 : 0;
    return typed.size() + allowed >= word.size() && typed.size() <= word.size() + allowed && allowed > 0 && distance(typed, word) <= allowed;
}

struct ChineseSlip { const char* typed; const char* word; };
constexpr std::array<ChineseSlip, 8> chinese_slips = {
    {{"退定", "退订"}, {"推订", "退订"}, {"推定", "退订"}, {"退丁", "退订"}, {"退钉", "退订"}, {"拒受", "拒收"}, {"具收", "拒收"}, {"据收", "拒收"}}};

// Saying no without the word for it: asked to send nothing any more, or threatened with a complaint.
constexpr std::array<const char*, 12> refusals = {"别再发", "别发了", "不要再发", "不要发了", "不要给我发", "别给我发", "勿发", "勿扰", "停止发送", "取消订阅", "投诉", "骚扰"};

std::vector<std::string> normalised(const std::vector<std::string>& words) {
    std::vector<std::string> list;
    for (const auto& word : words)
        if (auto folded = normalise_reply(word); !folded.empty()) list.push_back(std::move(folded));
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
}

bool contains(const std::vector<std::string>& sorted, const std::string& word) { return std::binary_search(sorted.begin(), sorted.end(), word); }

}  // namespace

std::string normalise_reply(std::string_view text) {
    if (text.size() > reply_bytes_max) return {};
    const auto folded = to_code_points(fold(text));
    std::u32string_view rest{folded};
    strip_blanks_front(rest);
    strip_back(rest);
    for (const std::u32string_view lead : {U"回复", U"回"})
        if (rest.substr(0, lead.size()) == lead) {
            rest.remove_prefix(lead.size());
            strip_front(rest);
            break;
        }
    return to_utf8(rest);
}

std::vector<std::string> default_opt_out_words() {
    return {"R", "T", "TD", "N", "退订", "拒收", "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"};
}
std::vector<std::string> default_opt_in_words() { return {"START", "YES", "UNSTOP", "恢复"}; }

ReplyWords::ReplyWords(const std::vector<std::string>& opt_out, const std::vector<std::string>& opt_in)
    : opt_out_{normalised(opt_out)}, opt_in_{normalised(opt_in)} {}

ReplyReading ReplyWords::read(std::string_view text, const DeclaredReplies* declared) const {
    const auto reply = normalise_reply(text);
    if (reply.empty()) return {};
    if (declared != nullptr)
        for (const auto& [word, answer] : *declared)
            if (normalise_reply(word) == reply) return {.kind = ReplyKind::answer, .word = reply, .answer = answer};
    if (contains(opt_out_, reply)) return {.kind = ReplyKind::opt_out, .word = reply};
    if (contains(opt_in_, reply)) return {.kind = ReplyKind::opt_in, .word = reply};
    if (auto word = near_miss(reply); !word.empty()) return {.kind = ReplyKind::near_miss, .word = std::move(word)};
    return {};
}

std::string ReplyWords::near_miss(const std::string& reply) const {
    constexpr std::size_t tokens_max = 6;
    constexpr std::size_t chinese_text_max = 12;
    const auto characters = to_code_points(reply);
    const auto tokens = tokens_of(characters);
    if (tokens.empty() || tokens.size() > tokens_max) return {};

    std::string found;
    bool only_fillers_beside = true;
    for (const auto& token : tokens) {
        const auto word = to_utf8(token);
        if (contains(opt_out_, word)) found = word;
        else if (!is_filler(word)) only_fillers_beside = false;
    }
    if (!found.empty() && only_fillers_beside) return found;

    for (const auto& word : opt_out_) {
        const auto letters = to_code_points(word);
        if (letters.size() == 1 && characters.size() <= 4 && !is_han(letters.front()) &&
            std::all_of(characters.begin(), characters.end(), [&](char32_t c) { return c == letters.front(); }))
            return word;
        const bool chinese = letters.size() >= 2 && std::all_of(letters.begin(), letters.end(), is_han);
        if (chinese && characters.size() <= chinese_text_max) {
            const auto at = characters.find(letters);
            if (at != std::u32string::npos && !negated(std::u32string_view{characters}.substr(0, at))) return word;
        }
        if (!chinese && tokens.size() == 1 && tokens.front().size() == characters.size() && is_slip(characters, letters)) return word;
    }
    constexpr std::size_t refusal_text_max = 20;
    if (characters.size() <= refusal_text_max && contains(opt_out_, "退订"))
        for (const auto* refusal : refusals)
            if (reply.find(refusal) != std::string::npos) return refusal;
    for (const auto& slip : chinese_slips)
        if (reply == slip.typed && contains(opt_out_, slip.word)) return slip.word;
    return {};
}

}  // namespace touchgate::content
