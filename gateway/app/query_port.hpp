// The HTTP API's query side over the projection and the log.
#pragma once

#include "gateway/app/callback_sender.hpp"
#include "gateway/http/query_port.hpp"
#include "gateway/projection/queries.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate::app {

class ProjectionQueries final : public http::QueryPort {
public:
    // All must outlive it. Any thread.
    ProjectionQueries(projection::Queries& queries, projection::BillingOf billing, std::string time_zone, CallbackSender* callbacks)
        : queries_{queries}, billing_{std::move(billing)}, time_zone_{std::move(time_zone)}, callbacks_{callbacks} {}

    [[nodiscard]] std::uint64_t shown_sequence() const override { return queries_.projection().shown_sequence(); }
    Result<http::EventPage> events(const http::EventQuery& query) override;
    Result<std::vector<http::EventText>> touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                      const http::Visibility& visibility) override;
    Result<std::string> touch(const TouchId& touch, const http::Visibility& visibility) override;
    Result<std::string> touch_at(const TouchId& touch, LogPosition newest_of_contact, LogPosition created, const http::Visibility& visibility) override;
    Result<http::ItemPage> touches(const http::TouchQuery& query) override;
    Result<http::ItemPage> contacts(const http::ContactQuery& query) override;
    Result<http::ItemPage> interactions(const http::InteractionListQuery& query) override;
    Result<std::string> interaction(const Uuid& id, const http::Visibility& visibility) override;
    Result<http::ItemPage> timeline(const http::TimelineQuery& query) override;
    Result<http::ReportText> report(const http::ReportQuery& query) override;
    Result<http::ItemPage> dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor) override;
    Result<std::size_t> replay_callbacks(const std::string& callback) override;

private:
    projection::Queries& queries_;
    projection::BillingOf billing_;
    std::string time_zone_;
    CallbackSender* callbacks_;
};

}  // namespace touchgate::app
