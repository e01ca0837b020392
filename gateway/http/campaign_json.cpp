// Campaigns and their previews as JSON.
#include <algorithm>
#include <array>
#include <cstdio>

#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

namespace {

// {"queued":0, …} over all states.
void append_states(JsonObject& json, const StateCounts& counts) {
    for (std::size_t state = 1; state < touch_state_count; ++state) json.number(to_string(static_cast<TouchState>(state)), counts[state]);
}

void append_numbers(std::string& out, const std::map<std::string, std::uint64_t>& numbers) {
    out += '{';
    bool first = true;
    for (const auto& [name, number] : numbers) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, name);
        out.append(1, ':').append(std::to_string(number));
    }
    out += '}';
}

std::string money(std::int64_t micro) {
    char text[40];
    std::snprintf(text, sizeof text, "\"%lld.%04lld\"", static_cast<long long>(micro / 1'000'000), static_cast<long long>(micro % 1'000'000 / 100));
    return text;
}

void append_money(std::string& out, const std::map<std::string, std::int64_t>& cost_micro) {
    JsonObject json{out};
    for (const auto& [currency, micro] : cost_micro) json.raw(currency, money(micro));
    json.close();
}

}  // namespace

void append_campaign(std::string& out, const CampaignDetails& campaign) {
    JsonObject json{out};
    json.text("id", campaign.id).text("state", campaign.state).text_or_null("reason", campaign.reason);
    json.instant("created_at", campaign.created_at).instant("started_at", campaign.started_at).instant("ended_at", campaign.ended_at);
    if (campaign.starting) json.boolean("starting", true);
    // The members of the definition as they were given, but for those that are ours.
    static constexpr std::array<std::string_view, 14> ours = {"id", "state", "reason", "created_at", "started_at", "ended_at", "starting", "audience", "counts",
                                                             "by_rule", "by_arm", "counts_by_arm", "direct", "cost"};
    const auto definition = nlohmann::ordered_json::parse(campaign.definition_json, nullptr, false);
    if (definition.is_object())
        for (const auto& [name, value] : definition.items())
            if (std::find(ours.begin(), ours.end(), name) == ours.end()) json.raw(name, value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    json.name("audience");
    JsonObject{out}.number("size", campaign.audience_size).text_or_null("sha256", campaign.audience_sha256).number("batches", campaign.audience_batches).close();
    json.name("counts");
    JsonObject counts{out};
    counts.number("pending", campaign.pending);
    counts.number("held_out", campaign.held_out);
    append_states(counts, campaign.counts);
    counts.close();
    json.name("by_rule");
    append_numbers(out, campaign.by_rule);
    json.name("by_arm");
    append_numbers(out, campaign.by_arm);
    json.name("counts_by_arm");
    out += '{';
    bool first = true;
    for (const auto& [arm, of_arm] : campaign.counts_by_arm) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, arm);
        out += ':';
        JsonObject states{out};
        append_states(states, of_arm);
        states.close();
    }
    out += '}';
    json.name("direct");
    JsonObject direct{out};
    append_states(direct, campaign.direct);
    direct.close();
    json.raw("cost", money(campaign.cost_micro)).number("permits", campaign.permits).number("complaints", campaign.complaints);
    json.close();
}

void append_preview(std::string& out, const CampaignPreview& preview) {
    JsonObject json{out};
    json.text("campaign", preview.id).instant("at", preview.at).number("recipients", preview.recipients).number("released", preview.released);
    json.name("counts");
    JsonObject{out}.number("allow", preview.allow).number("defer", preview.defer).number("deny", preview.deny).number("held_out", preview.held_out)
        .number("missing_variable", preview.missing_variable).close();
    json.name("by_rule");
    out += '{';
    bool first = true;
    const auto member = [&](std::string_view name) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, name);
        out += ':';
    };
    for (const auto& [rule, verdicts] : preview.by_rule) {
        member(rule);
        JsonObject{out}.number("defer", verdicts.defer).number("deny", verdicts.deny).close();
    }
    out += '}';
    json.name("by_arm");
    append_numbers(out, preview.by_arm);
    json.name("by_channel");
    out += '{';
    first = true;
    for (const auto& [channel, of] : preview.by_channel) {
        member(channel);
        JsonObject each{out};
        each.number("allow", of.allow).number("defer", of.defer).number("messages", of.allow + of.defer).number("segments", of.segments).name("cost");
        append_money(out, of.cost_micro);
        each.close();
    }
    out += '}';
    json.name("deferred_until");
    out += '[';
    first = true;
    for (const auto& [hour, count] : preview.deferred_until) {
        if (!first) out += ',';
        first = false;
        JsonObject{out}.instant("hour", hour).number("count", count).close();
    }
    out += ']';
    json.number("deferred_open", preview.deferred_open).number("messages", preview.allow + preview.defer).number("segments", preview.segments).name("cost");
    append_money(out, preview.cost_micro);
    json.name("foreseen");
    out += '{';
    first = true;
    for (const auto& [rule, of] : preview.foreseen) {
        member(rule);
        JsonObject{out}.number("deferred", of.deferred).number("denied", of.denied).instant("first", of.first).instant("last", of.last).close();
    }
    out += '}';
    json.raw("rate_per_second", preview.per_second > 0 ? Json(preview.per_second).dump() : "null").instant("earliest_finish", preview.earliest_finish);
    json.name("overlaps");
    out += '[';
    first = true;
    for (const auto& [campaign, contacts] : preview.overlaps) {
        if (!first) out += ',';
        first = false;
        JsonObject{out}.text("campaign", campaign).number("contacts", contacts).close();
    }
    out += ']';
    json.close();
}

}  // namespace touchgate::http
