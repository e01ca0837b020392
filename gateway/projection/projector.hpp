// Folds records into the projection's tables: one row a touch, its changes coalesced in memory over a batch, and the sums that reports read,
// all in one transaction with the cursor. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "gateway/projection/experiment.hpp"
#include "gateway/projection/lead_tables.hpp"
#include "gateway/projection/log_names.hpp"
#include "gateway/projection/service_facts.hpp"
#include "gateway/projection/sqlite.hpp"
#include "gateway/projection/touch_row.hpp"

namespace touchgate::projection {

class Projector {
public:
    // `database` is migrated; `names` gets what the tables and the records tell of profiles and policies. Both must outlive it.
    Projector(Database& database, LogNames& names);

    // Of the newest record that is committed; 0 for none.
    struct Cursor {
        std::uint64_t sequence = 0;
        LogPosition position{};
        std::string hash;
        Instant time{};
    };
    [[nodiscard]] const Cursor& cursor() const { return cursor_; }

    // Adds one record to the open batch. Records in order, none left out.
    void apply(const Record& record);
    [[nodiscard]] std::size_t batched() const { return batched_; }
    // Writes the batch and the cursor in one transaction. After an error nothing of the batch is kept: go on after `cursor()`.
    Result<void> commit();

private:
    // What the counting tables hold for a touch now; the difference to what it is then goes into them.
    struct Counted {
        std::int64_t bucket = 0;
        std::uint32_t profile = 0;
        std::int64_t number = -1;  // TouchClass::number; -1: not counted yet
        std::uint32_t arm = 0;     // of the attempts
        std::vector<AttemptRow> attempts;
    };
    struct Entry {
        TouchRow row;
        Counted counted;
        bool stored = false;  // stands in the table
        bool dirty = false;
    };
    using CountKey = std::tuple<std::int64_t, std::uint32_t, std::int64_t>;  // bucket, profile, class or rule
    struct AttemptSums { std::int64_t count = 0, parts = 0, segments = 0, cost_micro = 0; };
    struct RuleSums { std::int64_t deferred = 0, blocked = 0; };

    Entry* find_touch(const TouchId& id);
    bool load_touch(const TouchId& id, Entry& entry);
    void apply_touch(const Record& record);
    void apply_contact(const Record& record);
    void apply_other(const Record& record);
    void apply_campaign(const CampaignCreated& event, std::int64_t at);
    void apply_audience(const CampaignAudienceAdded& event);
    void begin_experiment(const std::string& campaign, std::int64_t at);
    void assign(const campaign::Definition& definition, std::int64_t contact, campaign::Assignment assignment);
    void note_decision(TouchRow& row, const LoggedDecision& decision);
    void note_arm(TouchRow& row, const TouchCreated& event);
    void apply_interaction(const Record& record);
    void note_message(const Uuid& interaction, const Record& record, bool inbound);
    void count_rule(const TouchRow& row, std::uint32_t rule, std::int64_t deferred, std::int64_t blocked);
    std::uint32_t name_number(std::string_view name);
    void count(Entry& entry);
    void count_attempt(const AttemptRow& attempt, std::uint32_t arm, std::int64_t sign);
    void write_touches();
    void write_counts();
    void write_cursor();
    void forget_all();
    Statement& statement(const char* sql);

    Database& database_;
    LogNames& names_;
    Cursor cursor_, pending_cursor_;
    std::size_t batched_ = 0;
    bool in_transaction_ = false;
    std::unordered_map<std::string, std::uint32_t> name_numbers_;
    absl::flat_hash_map<TouchId, std::unique_ptr<Entry>> recent_, older_;  // a full `recent_` becomes `older_` after a commit
    std::vector<Entry*> dirty_;
    std::map<CountKey, std::int64_t> touch_counts_;
    std::map<CountKey, AttemptSums> attempt_counts_;
    std::map<CountKey, RuleSums> rule_counts_;
    ServiceFacts service_;
    LeadTables leads_;
    std::unordered_map<const char*, Statement> statements_;  // by the address of their literal
    static constexpr std::size_t touches_kept = 60'000;
};

}  // namespace touchgate::projection
