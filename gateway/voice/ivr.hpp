// Menus that callers are led through: declared in the configuration, checked when it is read, followed one step at a time. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::voice {

// What a branch asks for; all that is given must hold.
struct MenuCondition {
    Json hours = nullptr;                  // open now; as hours of a queue
    std::string tag;                       // the contact has it
    std::string attribute, equals;         // the contact's attribute has this value; `equals` empty: it has one
    std::string entered, digits;           // what was collected under this name
    std::optional<bool> known;             // the caller's number belongs to a contact that was known before
    std::optional<bool> lead;              // he has an open lead
};

struct MenuNode {
    enum class Kind : std::uint8_t { say, collect, branch, queue, voicemail, promise, hang_up } kind = Kind::say;
    std::vector<std::string> say;          // media, before anything else
    std::string next;                      // say: afterwards; collect: after an entry without a choice of its own; branch: when nothing holds
    // collect
    std::string name;                      // under which the digits are kept
    int digits = 1;                        // at most; '#' ends earlier
    Duration timeout{5'000};               // for each digit
    int tries = 3;
    std::map<std::string, std::string, std::less<>> choices;  // what was entered → where to
    std::vector<std::string> wrong;        // said before the next try
    std::string failed;                    // where to after the last try
    // branch
    struct Branch { MenuCondition when; std::string to; };
    std::vector<Branch> branches;
    // queue
    std::string queue;
    int priority = -1;                     // of the waiting call; -1: the queue's
    std::vector<std::string> needs;        // skills
};

struct Menu {
    std::string start;
    std::map<std::string, MenuNode, std::less<>> nodes;
};

// All problems at once, by pointer; the menu is usable only if none was added.
//   {"start": "welcome", "nodes": {"welcome": {"say": ["file:welcome"], "collect": {"digits": 1, "choices": {"1": "sales"}, "failed": "care"}},
//    "sales": {"queue": "sales"}, "night": {"branch": [{"when": {"hours": {…}}, "to": "sales"}], "otherwise": "message"}, "message": {"voicemail": true},
//    "call_me": {"promise": true}, "bye": {"say": ["file:bye"], "hang_up": true}}}
[[nodiscard]] Menu read_menu(const Json& document, const std::string& pointer, std::vector<Problem>& problems);

// Who is led through a menu, and how far he is.
struct MenuPlace {
    std::string menu, node;
    std::string digits;                    // of the entry in hand
    int tries = 0;
    std::map<std::string, std::string, std::less<>> entered;
};

// What the menu wants done next.
struct MenuStep {
    enum class Kind : std::uint8_t { play, listen, queue, voicemail, promise, hang_up } kind = Kind::hang_up;
    std::vector<std::string> media;        // play: then call `played`
    Duration within{};                     // listen: then call `silent`
    const MenuNode* node = nullptr;        // queue
};

// Answers what a branch asks for.
class MenuFacts {
public:
    virtual ~MenuFacts() = default;
    [[nodiscard]] virtual bool holds(const MenuCondition& condition) const = 0;  // all of it but what was entered
};

[[nodiscard]] MenuStep enter(const Menu& menu, MenuPlace& place, const std::string& node, const MenuFacts& facts);
[[nodiscard]] MenuStep played(const Menu& menu, MenuPlace& place, const MenuFacts& facts);
// Nothing: the entry goes on, with the node's timeout.
[[nodiscard]] std::optional<MenuStep> pressed(const Menu& menu, MenuPlace& place, char digit, const MenuFacts& facts);
[[nodiscard]] MenuStep silent(const Menu& menu, MenuPlace& place, const MenuFacts& facts);

}  // namespace touchgate::voice
