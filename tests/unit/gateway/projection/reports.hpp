// A log with its projection, and reports made of it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/json/json.hpp"
#include "gateway/projection/report.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/temporary_folder.hpp"

namespace touchgate::test {

using namespace touchgate::projection;

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Reports {
    Scene scene;
    TemporaryFolder folder;
    LogNames names{{}, false};
    std::unique_ptr<Projection> projection;

    Report report(const std::string& name, const Parameters& parameters = {}, const Visibility& visibility = {}, const BillingOf& billing = {}) {
        if (!projection) {
            auto opened = Projection::open(folder.file("p.sqlite"), scene, names);
            REQUIRE(opened);
            projection = std::move(*opened);
        }
        for (bool more = true; more;) {
            const auto stepped = projection->step();
            REQUIRE(stepped);
            more = *stepped;
        }
        auto made = make_report(*projection, {.name = name, .parameters = parameters, .visibility = visibility}, billing);
        REQUIRE(made);
        return *made;
    }
    Json json(const std::string& name, const Parameters& parameters = {}, const Visibility& visibility = {}) {
        const auto parsed = parse_json(report_json(report(name, parameters, visibility)));
        REQUIRE(parsed);
        return *parsed;
    }
    Error refused(const std::string& name, const Parameters& parameters) {
        report("funnel");
        const auto made = make_report(*projection, {.name = name, .parameters = parameters});
        REQUIRE_FALSE(made);
        return made.error();
    }
};

}  // namespace touchgate::test
