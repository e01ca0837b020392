#include "gateway/voice/ivr.hpp"

#include <algorithm>
#include <set>

namespace touchgate::voice {

namespace {

constexpr int steps_max = 64;  // of nodes that neither play nor listen, one after the other

void read_condition(JsonReader& reader, MenuCondition& made) {
    if (const auto* hours = reader.raw("hours")) made.hours = *hours;
    made.tag = reader.text("tag");
    made.attribute = reader.text("attribute");
    made.equals = reader.text("equals");
    made.entered = reader.text("entered");
    made.digits = reader.text("digits");
    if (reader.has("known")) made.known = reader.boolean("known", true);
    if (reader.has("lead")) made.lead = reader.boolean("lead", true);
    if (made.hours.is_null() && made.tag.empty() && made.attribute.empty() && made.entered.empty() && !made.known && !made.lead)
        reader.problem_here("asks for nothing: give hours, tag, attribute, entered, known or lead");
    reader.finish();
}

void read_collect(JsonReader& reader, MenuNode& made) {
    made.kind = MenuNode::Kind::collect;
    made.name = reader.text("name", "entry", {1, 50});
    made.digits = static_cast<int>(reader.integer("digits", 1, 1, 32));
    made.timeout = reader.duration("timeout", made.timeout, Duration{500}, Duration{60'000});
    made.tries = static_cast<int>(reader.integer("tries", 3, 1, 10));
    reader.members("choices", [&](const std::string& digits, const Json& to, const std::string& pointer) {
        if (digits.empty() || digits.find_first_not_of("0123456789*#") != std::string::npos) reader.problems().push_back({pointer, "the name must be what is entered, such as \"1\""});
        else if (!to.is_string()) reader.problems().push_back({pointer, "must be the name of a node"});
        else made.choices[digits] = to.get<std::string>();
    });
    made.wrong = reader.texts("wrong");
    made.failed = reader.required_text("failed", {1, 100});
    made.next = reader.text("next");
    if (made.choices.empty() && made.next.empty()) reader.problem_here("leads nowhere: give choices or next");
    reader.finish();
}

MenuNode read_node(JsonReader& reader) {
    MenuNode made;
    made.say = reader.texts("say");
    int kinds = 0;
    if (auto collect = reader.object("collect")) {
        ++kinds;
        read_collect(*collect, made);
    }
    if (reader.has("branch")) {
        ++kinds;
        made.kind = MenuNode::Kind::branch;
        reader.objects("branch", [&](JsonReader& branch, std::size_t) {
            auto& one = made.branches.emplace_back();
            if (auto when = branch.object("when")) read_condition(*when, one.when);
            else branch.problem("when", "is missing");
            one.to = branch.required_text("to", {1, 100});
            branch.finish();
        });
        made.next = reader.required_text("otherwise", {1, 100});
    }
    if (reader.has("queue")) {
        ++kinds;
        made.kind = MenuNode::Kind::queue;
        made.queue = reader.required_text("queue", {1, 100});
        made.priority = static_cast<int>(reader.integer("priority", -1, -1, 100));
        made.needs = reader.texts("needs");
    }
    for (const auto& [key, kind] : {std::pair{"voicemail", MenuNode::Kind::voicemail}, {"promise", MenuNode::Kind::promise}, {"hang_up", MenuNode::Kind::hang_up}})
        if (reader.boolean(key, false)) {
            ++kinds;
            made.kind = kind;
        }
    if (kinds == 0) {
        made.kind = MenuNode::Kind::say;
        made.next = reader.required_text("next", {1, 100});
        if (made.say.empty()) reader.problem_here("does nothing: give say, collect, branch, queue, voicemail, promise or hang_up");
    } else if (kinds > 1) {
        reader.problem_here("does several things: give one of collect, branch, queue, voicemail, promise, hang_up");
    }
    reader.finish();
    return made;
}

std::vector<std::string> followers(const MenuNode& node) {
    std::vector<std::string> all;
    if (!node.next.empty()) all.push_back(node.next);
    if (!node.failed.empty()) all.push_back(node.failed);
    for (const auto& [digits, to] : node.choices) all.push_back(to);
    for (const auto& branch : node.branches) all.push_back(branch.to);
    return all;
}

bool matches(const MenuCondition& condition, const MenuPlace& place, const MenuFacts& facts) {
    if (!condition.entered.empty()) {
        const auto found = place.entered.find(condition.entered);
        if (found == place.entered.end() || (!condition.digits.empty() && found->second != condition.digits)) return false;
    }
    return facts.holds(condition);
}

MenuStep listen(const MenuNode& node) { return {.kind = MenuStep::Kind::listen, .media = {}, .within = node.timeout, .node = &node}; }

// The node's act, once what it says has been said.
MenuStep act(const Menu& menu, MenuPlace& place, const MenuFacts& facts) {
    for (int steps = 0; steps < steps_max; ++steps) {
        const auto found = menu.nodes.find(place.node);
        if (found == menu.nodes.end()) return {};
        const auto& node = found->second;
        std::string to;
        switch (node.kind) {
            case MenuNode::Kind::collect: return listen(node);
            case MenuNode::Kind::queue: return {.kind = MenuStep::Kind::queue, .media = {}, .within = {}, .node = &node};
            case MenuNode::Kind::voicemail: return {.kind = MenuStep::Kind::voicemail, .media = {}, .within = {}, .node = &node};
            case MenuNode::Kind::promise: return {.kind = MenuStep::Kind::promise, .media = {}, .within = {}, .node = &node};
            case MenuNode::Kind::hang_up: return {.kind = MenuStep::Kind::hang_up, .media = {}, .within = {}, .node = &node};
            case MenuNode::Kind::say: to = node.next; break;
            case MenuNode::Kind::branch:
                to = node.next;
                for (const auto& branch : node.branches)
                    if (matches(branch.when, place, facts)) {
                        to = branch.to;
                        break;
                    }
                break;
        }
        place.node = to;
        place.digits.clear();
        place.tries = 0;
        if (const auto next = menu.nodes.find(to); next != menu.nodes.end() && !next->second.say.empty())
            return {.kind = MenuStep::Kind::play, .media = next->second.say, .within = {}, .node = &next->second};
    }
    return {};
}

MenuStep wrong_entry(const Menu& menu, MenuPlace& place, const MenuNode& node, const MenuFacts& facts) {
    place.digits.clear();
    if (++place.tries >= node.tries) return enter(menu, place, node.failed, facts);
    auto media = node.wrong;
    media.insert(media.end(), node.say.begin(), node.say.end());
    if (media.empty()) return listen(node);
    return {.kind = MenuStep::Kind::play, .media = std::move(media), .within = {}, .node = &node};
}

MenuStep entered(const Menu& menu, MenuPlace& place, const MenuNode& node, const MenuFacts& facts) {
    const auto choice = node.choices.find(place.digits);
    const auto to = choice != node.choices.end() ? choice->second : place.digits.empty() ? std::string{} : node.next;
    if (to.empty()) return wrong_entry(menu, place, node, facts);
    place.entered[node.name] = place.digits;
    return enter(menu, place, to, facts);
}

}  // namespace

Menu read_menu(const Json& document, const std::string& pointer, std::vector<Problem>& problems) {
    Menu menu;
    JsonReader reader{document, pointer, problems};
    if (!document.is_object()) return menu;
    menu.start = reader.required_text("start", {1, 100});
    std::map<std::string, std::string, std::less<>> places;
    reader.members("nodes", [&](const std::string& name, const Json& value, const std::string& at) {
        JsonReader node{value, at, problems};
        if (!value.is_object()) return;
        menu.nodes[name] = read_node(node);
        places[name] = at;
    });
    reader.finish();
    if (!menu.start.empty() && !menu.nodes.contains(menu.start)) problems.push_back({pointer_to(pointer, "start"), "there is no node \"" + menu.start + "\""});
    for (const auto& [name, node] : menu.nodes)
        for (const auto& to : followers(node))
            if (!menu.nodes.contains(to)) problems.push_back({places[name], "leads to \"" + to + "\", which is no node"});
    // A node that nobody comes to is a mistake of whoever wrote the menu.
    std::set<std::string> reached;
    std::vector<std::string> open{menu.start};
    while (!open.empty()) {
        const auto name = open.back();
        open.pop_back();
        const auto found = menu.nodes.find(name);
        if (found == menu.nodes.end() || !reached.insert(name).second) continue;
        for (const auto& to : followers(found->second)) open.push_back(to);
    }
    for (const auto& [name, at] : places)
        if (!reached.contains(name)) problems.push_back({at, "no node leads here"});
    return menu;
}

MenuStep enter(const Menu& menu, MenuPlace& place, const std::string& node, const MenuFacts& facts) {
    place.node = node;
    place.digits.clear();
    place.tries = 0;
    const auto found = menu.nodes.find(node);
    if (found == menu.nodes.end()) return {};
    if (!found->second.say.empty()) return {.kind = MenuStep::Kind::play, .media = found->second.say, .within = {}, .node = &found->second};
    return act(menu, place, facts);
}

MenuStep played(const Menu& menu, MenuPlace& place, const MenuFacts& facts) { return act(menu, place, facts); }

std::optional<MenuStep> pressed(const Menu& menu, MenuPlace& place, char digit, const MenuFacts& facts) {
    const auto found = menu.nodes.find(place.node);
    if (found == menu.nodes.end() || found->second.kind != MenuNode::Kind::collect) return std::nullopt;
    const auto& node = found->second;
    const bool ends = digit == '#' && !node.choices.contains(place.digits + '#');
    if (!ends) place.digits += digit;
    const bool unique = node.choices.contains(place.digits) && std::none_of(node.choices.begin(), node.choices.end(), [&](const auto& choice) {
        return choice.first.size() > place.digits.size() && choice.first.starts_with(place.digits);
    });
    if (ends || unique || static_cast<int>(place.digits.size()) >= node.digits) return entered(menu, place, node, facts);
    return std::nullopt;
}

MenuStep silent(const Menu& menu, MenuPlace& place, const MenuFacts& facts) {
    const auto found = menu.nodes.find(place.node);
    if (found == menu.nodes.end()) return {};
    const auto& node = found->second;
    if (node.kind != MenuNode::Kind::collect) return act(menu, place, facts);
    if (!place.digits.empty()) return entered(menu, place, node, facts);
    return wrong_entry(menu, place, node, facts);
}

}  // namespace touchgate::voice
