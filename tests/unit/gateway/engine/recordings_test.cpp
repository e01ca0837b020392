// Recordings in the engine: fetched, sealed, read in parts, and deleted when their time is over or their contact is erased.
#include "gateway/engine/recordings.hpp"
#include "tests/unit/gateway/engine/exchange.hpp"

namespace touchgate::engine_test {

namespace {

constexpr Duration one_month{std::chrono::hours{24 * 30}};

struct Recorded : Exchange {
    Uuid id{};
    std::string name, file;
    Recorded()
        : Exchange{[](voice::CallRules& rules) {
              rules.recording.always = true;
              rules.recording.retention = one_month;
          }} {
        id = talk();
        hang_up("13812345678");
        name = shown(id).call->recording;
        REQUIRE(!name.empty());
        file = recording_path("data", name);
        REQUIRE(disk.exists(file));
    }
    Result<RecordingPart> read() {
        return in_turn([&](Engine& inside) { return inside.open_recording(id, {}, "boss", {}, 0, 1'000'000); });
    }
    void later(Duration by) {
        clock.advance(by);
        turn();
        settle();
    }
    std::vector<RecordingDeleted> deleted() {
        std::vector<RecordingDeleted> found;
        REQUIRE(log->scan(1, [&](const Record& record) {
            if (record.type == static_cast<std::uint16_t>(EventType::recording_deleted)) REQUIRE(decode(record.payload, found.emplace_back()));
            return true;
        }));
        return found;
    }
};

}  // namespace

TEST_CASE("calls: a recording is fetched, sealed, kept and read in parts", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.recording.always = true; }};
    const auto id = house.talk();
    REQUIRE(house.control("a1", id, CallControl::record_pause));
    house.hang_up("13812345678");
    CHECK(house.pbx.dropped.size() == 1);
    const auto name = house.shown(id).call->recording;
    REQUIRE(!name.empty());
    const auto whole = house.in_turn([&](Engine& inside) { return inside.open_recording(id, {}, "boss", "complaint", 0, 1'000'000); });
    REQUIRE(whole);
    CHECK(whole->bytes == "RIFF" + name);
    const auto part = house.in_turn([&](Engine& inside) { return inside.open_recording(id, name, "boss", {}, 2, 2); });
    REQUIRE(part);
    CHECK(part->bytes == "FF");
    const auto types = house.logged();
    CHECK(std::count(types.begin(), types.end(), EventType::recording_accessed) == 2);
}

TEST_CASE("recordings: are deleted when the time for which they are kept is over, and that is told", "[engine]") {
    Recorded house;
    const bool restarts = GENERATE(false, true);
    house.later(one_month - Duration{60'000});
    if (restarts) house.crash();
    CHECK(house.read());
    CHECK(house.deleted().empty());
    house.later(Duration{61'000});
    REQUIRE(house.deleted().size() == 1);
    CHECK(house.deleted()[0].interaction == house.id);
    CHECK(house.deleted()[0].recording == house.name);
    CHECK(house.deleted()[0].reason == "retention");
    CHECK_FALSE(house.disk.exists(house.file));
    const auto gone = house.read();
    REQUIRE_FALSE(gone);
    CHECK(gone.error().reference == "deleted");
    CHECK(gone.error().detail.find("the time for which recordings are kept was over") != std::string::npos);
    if (restarts) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.read().error().reference == "deleted");
    // After another while nobody remembers that there was one.
    house.later(one_month + Duration{60'000});
    CHECK(house.read().error().reference.empty());
    CHECK(house.deleted().size() == 1);
}

TEST_CASE("recordings: a crash between the record of it and the end of the file leaves no file", "[engine]") {
    Recorded house;
    house.clock.advance(one_month + Duration{1'000});
    {
        // The engine's turn without its effects.
        auto& in = house.engine->internals();
        in.now = house.clock.wall_now();
        REQUIRE(house.log->reserve(std::size_t{16} << 20U));
        in.run_recordings();
        in.effects.clear();
        REQUIRE(house.log->commit());
    }
    REQUIRE(house.disk.exists(house.file));
    house.crash();
    CHECK_FALSE(house.disk.exists(house.file));
    CHECK(house.read().error().reference == "deleted");
}

TEST_CASE("recordings: a legal hold keeps them until it is lifted", "[engine]") {
    Recorded house;
    const auto contact = house.shown(house.id).contact_id;
    const auto hold = [&](bool held) {
        REQUIRE(house.in_turn([&](Engine& inside) {
            ContactInput input;
            input.legal_hold = held;
            return inside.put_contact(contact, input, false, OnConflict::reject, {}).has_value();
        }));
    };
    hold(true);
    house.later(one_month + Duration{60'000});
    CHECK(house.read());
    hold(false);
    house.later(std::chrono::hours{1});
    CHECK(house.deleted().size() == 1);
    CHECK_FALSE(house.disk.exists(house.file));
}

TEST_CASE("recordings: go with their contact when he is erased", "[engine]") {
    Recorded house;
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", house.id, "done", {}); }));
    const auto contact = house.shown(house.id).contact_id;
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.erase_contact(contact); }));
    REQUIRE(house.deleted().size() == 1);
    CHECK(house.deleted()[0].reason == "erased");
    CHECK_FALSE(house.disk.exists(house.file));
    CHECK(house.read().error().detail.find("its contact was erased") != std::string::npos);
}

TEST_CASE("recordings: what could not be fetched is deleted at the telephone system when its time is over", "[engine]") {
    Exchange house{[](voice::CallRules& rules) {
        rules.recording.always = true;
        rules.recording.retention = one_month;
    }};
    house.pbx.fetch_failure = "the file is locked";
    (void)house.talk();
    house.hang_up("13812345678");
    REQUIRE(house.pbx.dropped.empty());
    house.clock.advance(one_month + Duration{60'000});
    house.settle();
    house.settle();
    CHECK(house.pbx.dropped == house.pbx.fetched);
}

TEST_CASE("recordings: one whose end nobody told is fetched all the same", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.recording.always = true; }};
    house.pbx.tells_of_recordings = false;
    const auto id = house.talk();
    house.hang_up("13812345678");
    REQUIRE(house.pbx.fetched.empty());
    house.clock.advance(Duration{100'000});
    house.settle();
    house.settle();
    CHECK(house.pbx.fetched.size() == 1);
    CHECK_FALSE(house.shown(id).call->recording.empty());
}

TEST_CASE("recordings: one that could not be fetched just now is fetched later", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.recording.always = true; }};
    house.pbx.fetch_failure = "no answer";
    house.pbx.fetch_failure_passes = true;
    const auto id = house.talk();
    house.hang_up("13812345678");
    REQUIRE(house.pbx.fetched.size() == 1);
    house.pbx.fetch_failure.clear();
    house.clock.advance(Duration{100'000});
    house.settle();
    house.settle();
    CHECK(house.pbx.fetched.size() == 2);
    CHECK_FALSE(house.shown(id).call->recording.empty());
}

}  // namespace touchgate::engine_test
