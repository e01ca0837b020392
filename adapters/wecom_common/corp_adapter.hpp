// What every WeCom adapter has in common: one token for a corporation and a secret, media that are uploaded once, callbacks that say whose they are,
// operations by table. An adapter adds what it sends and what it pulls.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wechat/media.hpp"
#include "adapters/wechat/operations.hpp"
#include "adapters/wecom_common/corp.hpp"
#include "adapters/wecom_common/errors.hpp"

namespace touchgate::adapters::wecom_common {

// The files that content may name, with the account's own "media_limits".
[[nodiscard]] wechat::MediaRules read_media(JsonReader& settings, const channel::AccountContext& context, wechat::MediaRules rules);

class CorpAdapter : public channel::ExchangeAdapter {
public:
    [[nodiscard]] int segments(std::string_view) const override { return 1; }
    [[nodiscard]] int window() const override { return about_.corp.window; }
    [[nodiscard]] Duration timeout() const override { return about_.corp.timeout; }

    // The token, and the media that the contents name.
    [[nodiscard]] std::vector<channel::Need> prepare(std::span<const channel::Submission> submissions) const override;
    [[nodiscard]] channel::HttpRequest fetch(const channel::Need& need, const channel::Resources& resources, const channel::RequestContext& context) const override;
    [[nodiscard]] std::variant<channel::Resource, channel::Outcome> read_fetched(const channel::Need& need, const channel::HttpResponse& response) const override;
    [[nodiscard]] bool resources_stale(const channel::HttpResponse& response) const override;
    [[nodiscard]] bool resource_stale(const std::string& key, const channel::HttpResponse& response) const override;

    [[nodiscard]] channel::HttpRequest submit(std::span<const channel::Submission> submissions, const channel::Resources& resources,
                                              const channel::RequestContext& context) const final;
    [[nodiscard]] std::vector<channel::Outcome> classify(std::span<const channel::Submission> submissions, const channel::HttpResponse& response) const final;
    // Of the media first; with media ids in their place the adapter looks at the rest.
    [[nodiscard]] std::vector<Problem> content_problems(const channel::Content& content) const final;

    [[nodiscard]] std::vector<channel::Need> task_needs() const override { return {token_need(about_.corp)}; }
    [[nodiscard]] std::vector<channel::Need> pull_needs(const std::string&) const override { return {token_need(about_.corp)}; }

    [[nodiscard]] std::vector<channel::Operation> operations() const override { return wechat::shown_of(about_.operations); }
    [[nodiscard]] channel::HttpRequest operation(std::string_view name, const std::string& body_json, const channel::Resources& resources,
                                                 const channel::RequestContext& context) const override;
    [[nodiscard]] channel::OperationAnswer read_operation(std::string_view name, const std::string& body_json, const channel::HttpResponse& response) const override;

    [[nodiscard]] channel::WebhookAnswer receive(const channel::WebhookRequest& request) const override;

protected:
    struct About {
        Corp corp;
        std::optional<wechat::CallbackSettings> callback = {};
        std::string topic = {};  // what comes to this account's own hook about this topic needs no other account
        std::span<const wechat::PlatformOperation> operations = {};
        wechat::MediaRules media = {};
    };
    explicit CorpAdapter(About about) : about_{std::move(about)} {}

    // As submit and classify, never empty, with media ids.
    [[nodiscard]] virtual channel::HttpRequest request_of(std::span<const channel::Submission> submissions, const channel::Resources& resources) const = 0;
    [[nodiscard]] virtual std::vector<channel::Outcome> outcomes_of(std::span<const channel::Submission> submissions, const channel::HttpResponse& response) const = 0;
    [[nodiscard]] virtual std::vector<Problem> problems_of(const channel::Content& content) const = 0;

private:
    About about_;
};

}  // namespace touchgate::adapters::wecom_common
