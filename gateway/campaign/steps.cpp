#include "gateway/campaign/steps.hpp"

#include <algorithm>

namespace touchgate::campaign {

void read_steps(JsonReader& body, std::vector<std::string>& channels, std::vector<dispatch::StepTerms>& steps) {
    if (body.raw("steps") == nullptr) return;
    if (body.has("channels")) body.problem("channels", "give either steps or channels, not both");
    if (body.has("fallback_after")) body.problem("fallback_after", "each of the steps says how long it waits: give `within` there");
    channels.clear();
    const auto before = body.problems().size();
    body.objects("steps", [&](JsonReader& entry, std::size_t) {
        auto channel = entry.required_text("channel", {1, 200});
        const auto word = entry.choice("until", {"accepted", "delivered", "read", "replied", "answered"}, "delivered");
        dispatch::StepTerms terms;
        for (const auto until : {dispatch::Until::accepted, dispatch::Until::delivered, dispatch::Until::read, dispatch::Until::replied, dispatch::Until::answered})
            if (dispatch::to_string(until) == word) terms.until = until;
        if (entry.has("within")) terms.within_ms = entry.duration("within", Duration{0}).count();
        if (!channel.empty() && std::find(channels.begin(), channels.end(), channel) != channels.end()) entry.problem("channel", "\"" + channel + "\" is the channel of an earlier step");
        entry.finish();
        channels.push_back(std::move(channel));
        steps.push_back(terms);
    });
    if (body.problems().size() == before && (steps.empty() || steps.size() > steps_max)) body.problem("steps", "must be 1 to " + std::to_string(steps_max) + " steps");
}

bool read_cheapest_first(JsonReader& body) { return body.choice("first", {"given", "cheapest"}, "given") == "cheapest"; }

}  // namespace touchgate::campaign
