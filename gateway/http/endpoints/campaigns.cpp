// Campaigns as a register: what a touch's `campaign` must name, with live counts of the touches that do.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_campaign() { return {.kind = ErrorKind::not_found, .detail = "there is no campaign with this id"}; }

std::string unit_of(const CampaignDetails& campaign) {
    const auto definition = Json::parse(campaign.definition_json, nullptr, false);
    return definition.is_object() && definition.contains("unit") && definition["unit"].is_string() ? definition["unit"].get<std::string>()
                                                                                                   : std::string{};
}

// The campaign, unless there is none or it is another unit's.
Result<CampaignDetails> find_own(Engine& engine, const Exchange& exchange, const std::string& id) {
    auto campaign = engine.find_campaign(id);
    if (campaign && exchange.access.limited() && !exchange.access.covers(unit_of(*campaign))) return no_such_campaign();
    return campaign;
}

Response campaign_answer(const CampaignDetails& campaign, int status) {
    Response response;
    response.status = status;
    append_campaign(response.body, campaign);
    return response;
}

void post_campaign(const Call& call) {
    auto input = read_body(call, [](JsonReader& body) { return read_campaign(body); });
    if (!input) return;
    if (call->access.limited()) {
        if (input->unit.empty()) {
            input->unit = call->access.units.front();
            auto definition = Json::parse(input->definition_json);
            definition["unit"] = input->unit;
            input->definition_json = definition.dump();
        } else if (!call->access.covers(input->unit)) {
            call->fail({.kind = ErrorKind::forbidden,
                        .detail = "this API key is limited to other units",
                        .problems = {{"/unit", "is not a unit of this API key"}}});
            return;
        }
    }
    in_engine(call, [input = std::move(*input)](Engine& engine, Exchange& exchange) {
        const auto campaign = engine.create_campaign(input);
        return campaign ? campaign_answer(*campaign, campaign->created ? 201 : 200) : exchange.problem_of(campaign.error(), "campaign_id");
    });
}

void get_campaign(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto campaign = find_own(engine, exchange, id);
        return campaign ? campaign_answer(*campaign, 200) : exchange.problem_of(campaign.error());
    });
}

void change(const Call& call, std::string_view action) {
    in_engine(call, [id = call->path[0], action](Engine& engine, Exchange& exchange) {
        if (const auto own = find_own(engine, exchange, id); !own) return exchange.problem_of(own.error());
        const auto campaign = engine.change_campaign(id, action);
        return campaign ? campaign_answer(*campaign, 200) : exchange.problem_of(campaign.error(), "campaign_id");
    });
}

void pause_campaign(const Call& call) { change(call, "pause"); }
void resume_campaign(const Call& call) { change(call, "resume"); }
void cancel_campaign(const Call& call) { change(call, "cancel"); }

// What works on an audience. This version keeps campaigns as a register for direct touches only.
void refuse_audience(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        if (const auto own = find_own(engine, exchange, id); !own) return exchange.problem_of(own.error());
        return exchange.problem_of({.kind = ErrorKind::conflict,
                                    .detail = "campaigns with audiences are not in this version; send touches that name the campaign instead"});
    });
}

}  // namespace

void add_campaign_endpoints(Router& router) {
    const auto add = [&](Method method, const char* pattern, Handler handler, BodyKind body = BodyKind::none) {
        router.add({.method = method, .pattern = pattern, .scope = "campaigns", .handler = handler, .body = body});
    };
    add(Method::post, "/v1/campaigns", post_campaign, BodyKind::json);
    add(Method::get, "/v1/campaigns/{id}", get_campaign);
    add(Method::post, "/v1/campaigns/{id}/pause", pause_campaign);
    add(Method::post, "/v1/campaigns/{id}/resume", resume_campaign);
    add(Method::post, "/v1/campaigns/{id}/cancel", cancel_campaign);
    add(Method::post, "/v1/campaigns/{id}/audience", refuse_audience);
    add(Method::post, "/v1/campaigns/{id}/audience/remove", refuse_audience);
    add(Method::post, "/v1/campaigns/{id}/preview", refuse_audience);
    add(Method::post, "/v1/campaigns/{id}/start", refuse_audience);
}

}  // namespace touchgate::http
