// What a customer's short reply means for consent: opt-out, opt-in, an answer that a template asked for, something close to an opt-out
// that a person must look at, or none of these.
//
// A word counts only when it is the whole reply after normalising: NFKC, case folding, blanks trimmed, punctuation at the end and a
// leading 回复 or 回 dropped ("回复 ＴＤ。" is "td"). Nothing longer is ever taken as an opt-out by itself.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::content {

enum class ReplyKind { none, opt_out, opt_in, near_miss, answer };

struct ReplyReading {
    ReplyKind kind = ReplyKind::none;
    std::string word = {};    // the configured word that matched, normalised; of a near miss, the word it is close to
    std::string answer = {};  // answer: what the template declares for it ("decline")
};

// Replies that a template declares: word as written there → answer.
using DeclaredReplies = std::map<std::string, std::string>;

// Empty for text that is not UTF-8 or longer than any reply word can be (400 bytes).
[[nodiscard]] std::string normalise_reply(std::string_view text);

[[nodiscard]] std::vector<std::string> default_opt_out_words();
[[nodiscard]] std::vector<std::string> default_opt_in_words();

class ReplyWords {
public:
    explicit ReplyWords(const std::vector<std::string>& opt_out = default_opt_out_words(),
                        const std::vector<std::string>& opt_in = default_opt_in_words());

    // `declared` are the replies of the template whose touch this answers; they come before the word lists. May be null.
    //
    // A near miss is deliberately narrow, for it holds marketing until somebody looks at it:
    //   - the reply is nothing but opt-out words and words of politeness ("please stop", "退订谢谢", "T T", "请回复R");
    //   - a Chinese opt-out word stands in a text of at most 12 characters and is not negated ("我要退订", but not "不退订");
    //   - it is a slip of the finger in one long word ("unsubcribe", "stpo", "退定").
    [[nodiscard]] ReplyReading read(std::string_view text, const DeclaredReplies* declared = nullptr) const;

private:
    [[nodiscard]] std::string near_miss(const std::string& reply) const;
    std::vector<std::string> opt_out_;  // normalised, sorted
    std::vector<std::string> opt_in_;
};

}  // namespace touchgate::content
