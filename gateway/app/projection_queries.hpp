// The query side of the HTTP API over the projection and the log: only a translation between the two modules' words.
#pragma once

#include <functional>
#include <string>

#include "gateway/http/query_port.hpp"
#include "gateway/projection/queries.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate {

// Callbacks that were given up belong to whoever sends callbacks; both may be empty: there are no callbacks then.
struct CallbackLetters {
    std::function<Result<http::ItemPage>(const std::string& callback, std::size_t limit, const std::string& cursor)> list = {};
    std::function<Result<std::size_t>(const std::string& callback)> replay = {};
};

class ProjectionQueries final : public http::QueryPort {
public:
    // `queries` must outlive it. `time_zone` is that of reports without `tz`.
    ProjectionQueries(projection::Queries& queries, std::string time_zone, projection::BillingOf billing = {}, CallbackLetters letters = {});

    [[nodiscard]] std::uint64_t shown_sequence() const override;
    Result<http::EventPage> events(const http::EventQuery& query) override;
    Result<std::vector<http::EventText>> touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                      const http::Visibility& visibility) override;
    Result<std::string> touch(const TouchId& touch, const http::Visibility& visibility) override;
    Result<http::ItemPage> touches(const http::TouchQuery& query) override;
    Result<http::ItemPage> contacts(const http::ContactQuery& query) override;
    Result<http::ItemPage> timeline(const http::TimelineQuery& query) override;
    Result<http::ReportText> report(const http::ReportQuery& query) override;
    Result<http::ItemPage> dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor) override;
    Result<std::size_t> replay_callbacks(const std::string& callback) override;

private:
    projection::Queries& queries_;
    std::string time_zone_;
    projection::BillingOf billing_;
    CallbackLetters letters_;
};

}  // namespace touchgate
