#include "gateway/app/call_settings.hpp"

#include <algorithm>
#include <array>

#include "gateway/http/phone_numbers.hpp"
#include "gateway/voice/media.hpp"

namespace touchgate::app {

namespace {

constexpr Duration second{1'000};
constexpr Duration minute{60'000};
constexpr Duration hour{3'600'000};

// One medium or several; null: nothing.
voice::Media read_media(JsonReader& reader, std::string_view key) {
    const auto* value = reader.raw(key);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>().empty() ? voice::Media{} : voice::Media{value->get<std::string>()};
    voice::Media media;
    if (value->is_array())
        for (const auto& each : *value)
            if (each.is_string()) media.push_back(each.get<std::string>());
    if (!value->is_array() || media.size() != value->size()) reader.problem(key, "must be a medium such as \"file:greeting\" or a list of them");
    return media;
}

void read_inbound(JsonReader& reader, voice::InboundRules& rules) {
    rules.queue = reader.text("queue", {}, {0, 100});
    rules.menu = reader.text("ivr", {}, {0, 100});
    rules.greeting = read_media(reader, "greeting");
    rules.ringing = reader.boolean("ringing", false);
    reader.objects("routes", [&](JsonReader& route, std::size_t) {
        auto& made = rules.routes.emplace_back();
        made.did = route.required_text("did", {1, 80});
        made.queue = route.text("queue", {}, {0, 100});
        made.menu = route.text("ivr", {}, {0, 100});
        if (made.queue.empty() && made.menu.empty()) route.problem_here("leads nowhere: give queue or ivr");
        route.finish();
    });
    reader.finish();
}

void read_recording(JsonReader& reader, voice::RecordingRules& rules) {
    rules.always = reader.choice("calls", {"all", "queues", "none"}, reader.has("queues") ? "queues" : "all") == "all";
    rules.queues = reader.texts("queues");
    if (reader.text("calls") == "none") rules.queues.clear();
    rules.beep = reader.boolean("beep", false);
    rules.consent = read_media(reader, "announcement");
    rules.retention = reader.duration("retention", rules.retention, Duration{30 * 24 * hour});
    reader.finish();
}

void read_announcements(JsonReader& reader, voice::CallRules& rules) {
    rules.announce_every = reader.duration("every", Duration{30 * second}, Duration{5 * second}, hour);
    rules.position = read_media(reader, "position");
    rules.wait = read_media(reader, "wait");
    if (rules.position.empty() && rules.wait.empty()) reader.problem_here("says nothing: give position or wait");
    reader.finish();
}

}  // namespace

std::shared_ptr<const voice::CallRules> read_call_rules(JsonReader& reader, const std::string& default_region) {
    auto rules = std::make_shared<voice::CallRules>();
    if (auto inbound = reader.object("inbound")) read_inbound(*inbound, rules->inbound);
    if (auto recording = reader.object("recording")) read_recording(*recording, rules->recording);
    if (auto announcements = reader.object("announcements")) read_announcements(*announcements, *rules);
    reader.members("ivr", [&](const std::string& name, const Json& document, const std::string& pointer) {
        rules->menus[name] = voice::read_menu(document, pointer, reader.problems());
    });
    const http::PhoneNumbers numbers{default_region};
    reader.members("phone_routes", [&](const std::string& name, const Json& number, const std::string& pointer) {
        std::string normal;
        if (!number.is_string() || !numbers.normalise(number.get<std::string>(), normal)) reader.problems().push_back({pointer, http::PhoneNumbers::complaint()});
        rules->phone_routes[name] = normal;
    });
    if (auto said = reader.object("sounds")) {
        rules->promised = read_media(*said, "promised");
        rules->closed = read_media(*said, "closed");
        rules->goodbye = read_media(*said, "goodbye");
        rules->dropped = read_media(*said, "dropped");
        rules->voicemail = read_media(*said, "voicemail");
        said->finish();
    }
    rules->agent_ring_timeout = reader.duration("agent_ring_timeout", rules->agent_ring_timeout, second, 10 * minute);
    rules->ring_timeout = reader.duration("ring_timeout", rules->ring_timeout, second, 10 * minute);
    rules->longest_park = reader.duration("longest_park", rules->longest_park, second, Duration{24 * hour});
    rules->longest_wait = reader.duration("longest_wait", rules->longest_wait, second, Duration{24 * hour});
    rules->longest_call = reader.duration("longest_call", rules->longest_call, second, Duration{24 * hour});
    rules->longest_message = reader.duration("longest_message", rules->longest_message, second, Duration{30 * minute});
    rules->lost_after = reader.duration("lost_after", rules->lost_after, second, Duration{24 * hour});
    rules->music = reader.text("music", {}, {0, 80});
    rules->language = reader.text("language", {}, {0, 20});

    const auto check_menu = [&](const std::string& name) {
        if (!name.empty() && !rules->menus.contains(name)) reader.problem("inbound", "names the menu \"" + name + "\", which \"ivr\" does not have");
    };
    check_menu(rules->inbound.menu);
    for (const auto& route : rules->inbound.routes) check_menu(route.menu);
    rules->normalise = [numbers](std::string_view written) {
        std::string normal;
        return numbers.normalise(written, normal) ? normal : std::string{};
    };
    return rules;
}

std::vector<Problem> voice_content_problems(const voice::CallRules& rules, const std::function<bool(const std::string&)>& can_play, const channel::Content& content) {
    if (content.body_json.empty()) return {{"", "a call needs \"voice\": {\"play\": …}, {\"ivr\": …} or {\"queue\": …}"}};
    const auto body = Json::parse(content.body_json, nullptr, false);
    const auto voice = body.is_object() ? body.find("voice") : body.end();
    if (!body.is_object() || voice == body.end() || !voice->is_object()) return {{"", "a call needs \"voice\": {\"play\": …}, {\"ivr\": …} or {\"queue\": …}"}};
    std::vector<Problem> problems;
    int kinds = 0;
    for (const auto& [key, value] : voice->items()) {
        if (key != "play" && key != "ivr" && key != "queue" && key != "caller_id") {
            problems.push_back({pointer_to("/voice", key), "is not known; a call has play, ivr or queue, and caller_id"});
        } else if (!value.is_string()) {
            problems.push_back({pointer_to("/voice", key), "must be a text"});
        } else {
            kinds += key != "caller_id" ? 1 : 0;
            if (key == "ivr" && !rules.menus.contains(value.get<std::string>())) problems.push_back({"/voice/ivr", "the account has no such menu"});
            if (key != "play") continue;
            const auto medium = voice::medium_of(value.get<std::string>());
            if (value.get<std::string>().empty()) problems.push_back({"/voice/play", "is empty"});
            else if (!can_play(medium) && medium.starts_with("text:")) problems.push_back({"/voice/play", "the account's telephone system cannot speak; name a file, such as \"file:welcome\""});
            else if (!can_play(medium)) problems.push_back({"/voice/play", "is nothing that the account's telephone system can play"});
        }
    }
    if (problems.empty() && kinds != 1) problems.push_back({"/voice", "has exactly one of play, ivr and queue"});
    return problems;
}

}  // namespace touchgate::app
