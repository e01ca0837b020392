// /v1/campaigns: made, given an audience, previewed, started, paused, resumed, cancelled, looked at.
#include <algorithm>
#include <array>

#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_campaign() { return {.kind = ErrorKind::not_found, .detail = "there is no campaign with this id"}; }

// The campaign, unless there is none or it is another unit's.
Result<CampaignDetails> find_own(Engine& engine, const Exchange& exchange, const std::string& id) {
    auto campaign = engine.find_campaign(id);
    if (campaign && exchange.access.limited() && !exchange.access.covers(campaign->unit)) return no_such_campaign();
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
    // As it was written: the order of a provider's parameters can matter.
    input->definition_json = nlohmann::ordered_json::parse(call->body()).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (call->access.limited()) {
        if (input->unit.empty()) {
            input->unit = call->access.units.front();
            auto definition = nlohmann::ordered_json::parse(input->definition_json);
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

void list_campaigns(const Call& call) {
    std::vector<Problem> problems;
    const auto state = call->query.text("state");
    const auto cursor = call->query.text("cursor");
    const auto limit = page_limit(*call, problems);
    static constexpr std::array<std::string_view, 6> states = {"", "draft", "running", "paused", "finished", "cancelled"};
    if (std::find(states.begin(), states.end(), state) == states.end()) problems.push_back({"/state", "must be one of: draft, running, paused, finished, cancelled"});
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_engine(call, [state, cursor, limit](Engine& engine, Exchange& exchange) {
        std::vector<CampaignDetails> shown;
        std::string after = cursor;
        bool more = false;
        for (;;) {
            const auto page = engine.campaigns(state, limit + 1, after);
            for (const auto& campaign : page) {
                if (!exchange.access.covers(campaign.unit)) continue;
                if (shown.size() == limit) {
                    more = true;
                    break;
                }
                shown.push_back(campaign);
            }
            if (more || page.size() <= limit) break;
            after = page.back().id;
        }
        std::string items;
        append_array(items, shown, append_campaign);
        return json_answer(200, list_of(items, more ? shown.back().id : std::string{}));
    });
}

// What takes the engine several turns is answered from the last of them.
template <class Value, class Begin> void answer_later(const Call& call, Begin begin, Response (*render)(const Value&)) {
    const bool taken = call->services().engine.post([call, begin, render](Engine& engine) {
        if (const auto own = find_own(engine, *call, call->path[0]); !own) {
            engine.after_sync([call, error = own.error()] { call->fail(error); });
            return;
        }
        begin(engine, call->path[0], [call, render, &engine](Result<Value> value) {
            auto response = value ? render(*value) : call->problem_of(value.error(), "campaign_id");
            response.sequence = engine.sequence();
            call->answer(std::move(response));
        });
    });
    if (!taken) call->fail(queue_full());
}

void start_campaign(const Call& call) {
    answer_later<CampaignDetails>(call, [](Engine& engine, const std::string& id, auto done) { engine.start_campaign(id, std::move(done)); },
                                  [](const CampaignDetails& campaign) { return campaign_answer(campaign, 200); });
}

void preview_campaign(const Call& call) {
    answer_later<CampaignPreview>(call, [](Engine& engine, const std::string& id, auto done) { engine.preview_campaign(id, std::move(done)); },
                                  [](const CampaignPreview& preview) {
                                      Response response;
                                      append_preview(response.body, preview);
                                      return response;
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
    add(Method::get, "/v1/campaigns", list_campaigns);
    add(Method::post, "/v1/campaigns/{id}/preview", preview_campaign);
    add(Method::post, "/v1/campaigns/{id}/start", start_campaign);
    const auto lines = [&](const char* pattern, BulkMaker maker) {
        router.add({.method = Method::post, .pattern = pattern, .scope = "campaigns", .body = BodyKind::ndjson, .bulk = maker});
    };
    lines("/v1/campaigns/{id}/audience", audience_lines);
    lines("/v1/campaigns/{id}/audience/remove", audience_removals);
}

}  // namespace touchgate::http
