#include "gateway/policy/cases.hpp"

#include <algorithm>

#include "gateway/policy/case_reader.hpp"
#include "gateway/policy/explain.hpp"
#include "gateway/policy/labels.hpp"

namespace touchgate::policy {

namespace {

using namespace cases;

// All attempts of the case, whoever's they are, by counter.
class CaseHistory final : public SharedHistory {
public:
    void add(std::size_t by_set, std::uint64_t key, const HistoryEntry& entry) { entries_[{by_set, key}].push_back(entry); }
    [[nodiscard]] std::span<const HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const override {
        const auto found = entries_.find({by_set, key});
        return found == entries_.end() ? std::span<const HistoryEntry>{} : found->second;
    }

private:
    std::map<std::pair<std::size_t, std::uint64_t>, std::vector<HistoryEntry>> entries_;
};

class CaseRun {
public:
    CaseRun(const Case& tested, CompiledPolicy& policy, SymbolTable& symbols, ProfileTable& profiles)
        : case_{tested}, policy_{policy}, symbols_{symbols}, profiles_{profiles} {
        for (const auto& tag : case_.tags) tags_.push_back(symbols_.intern(tag));
        for (const auto& record : case_.lists) {
            ListEntry entry{symbols_.intern(record.list), record.expires_at};
            for (const auto& channel : record.channels) entry.channels.push_back(symbols_.intern(channel));
            for (const auto& purpose : record.purposes) entry.purposes.push_back(symbols_.intern(purpose));
            lists_.push_back(std::move(entry));
        }
        for (const auto& record : case_.acts)
            acts_.push_back({record.at, symbols_.intern(record.event), symbols_.intern(record.kind), symbols_.intern(record.channel)});
        for (const auto& attempt : case_.history) {
            const auto entry = entry_of(attempt);
            if (!attempt.of_other_contact) history_.push_back(entry);
            for (std::size_t by_set = 0; by_set < policy_.shared_counter_count(); ++by_set)
                if (std::uint64_t key = 0; policy_.counter_key(by_set, profiles_.at(entry.profile), entry, key)) shared_.add(by_set, key, entry);
        }
        for (const auto& member : case_.members) {
            auto& entries = member_entries_.emplace_back();
            for (const auto& attempt : member) entries.push_back(entry_of(attempt));
        }
        for (const auto& entries : member_entries_) members_.emplace_back(entries);
        facts_ = facts_of(case_.facts);
    }

    CaseResult run() {
        std::optional<Decision> best;
        std::string channel;
        for (const auto& tried : case_.channels) {
            auto decision = decide(tried);
            // allow before defer before deny, the earlier `until` first; of two that deny the first.
            const auto rank = [](const Decision& one) { return std::pair{one.verdict, one.until}; };
            if (!best || rank(decision) < rank(*best)) {
                best = std::move(decision);
                channel = tried;
            }
            if (best->verdict == Verdict::allow) break;
        }
        CaseResult result{.name = case_.name, .differences = {}, .decision = decision_json(policy_, policy_.name(), *best, [](std::uint64_t touch) {
                                                                     return std::to_string(touch);
                                                                 })};
        const auto compare = [&](const char* what, const std::optional<std::string>& expected, const Json& got) {
            const auto text = got.is_string() ? got.get<std::string>() : std::string{};
            if (expected && *expected != text)
                result.differences.push_back(std::string{what} + ": expected " + (expected->empty() ? "null" : *expected) + ", got " +
                                             (text.empty() ? "null" : text));
        };
        compare("verdict", case_.verdict, result.decision["verdict"]);
        compare("rule", case_.rule, result.decision["rule"]);
        compare("until", case_.until, result.decision["until"]);
        compare("reason", case_.reason, result.decision.value("reason", Json(nullptr)));
        compare("channel", case_.channel, channel);
        result.passed = result.differences.empty();
        return result;
    }

private:
    ProfileId intern(const Profile& names) {
        bool made = false;
        const auto profile = profiles_.intern(names, made);
        policy_.prepare_profile(profile);
        return profile;
    }
    Profile profile_of(const Names& names) {
        return {symbols_.intern(names.purpose),  symbols_.intern(names.channel), symbols_.intern(names.account),
                symbols_.intern(names.campaign), symbols_.intern(names.unit),    symbols_.intern(names.template_name)};
    }
    AttemptFacts facts_of(const Facts& facts) {
        const LabelSources sources{.metadata = &facts.metadata,
                                   .attributes = facts.attributes ? &*facts.attributes : &case_.attributes,
                                   .region = facts.region ? *facts.region : case_.region,
                                   .caller_id = facts.caller_id,
                                   .list = facts.list};
        return {.cost_micros = facts.cost_micros,
                .currency = facts.cost_micros == 0 ? Symbol{} : symbols_.intern(facts.currency),
                .labels = make_labels(policy_, symbols_, sources, [](std::string_view text) { return std::hash<std::string_view>{}(text); })};
    }
    HistoryEntry entry_of(const Attempt& attempt) {
        bool made = false;
        const auto profile = intern(profile_of(attempt.names));
        return {attempt.at,   attempt.touch,   profile,         attempt.address,
                attempt.slot, attempt.outcome, attempt.attempt, profiles_.facts().intern(facts_of(attempt.facts), made)};
    }
    Symbol star(const std::string& name) { return name == "*" ? Symbol{} : symbols_.intern(name); }

    // The records as the engine hands them over: what ended a withdrawal was decided when the grant came in, for this channel and purpose.
    std::vector<Consent> consents(const Names& touch) {
        std::vector<Consent> records;
        const auto covers = [](const std::string& pattern, const std::string& name) { return pattern == "*" || pattern == name; };
        for (const auto& record : case_.consents) {
            Consent made{star(record.channel), star(record.purpose), symbols_.intern(record.unit), record.granted, false, record.at};
            if (!record.granted)
                made.ended = std::any_of(case_.consents.begin(), case_.consents.end(), [&](const ConsentRecord& grant) {
                    const bool as_specific = covers(record.channel, grant.channel) && covers(record.purpose, grant.purpose) &&
                                             (record.unit.empty() || record.unit == grant.unit);
                    return grant.granted && grant.may_regrant && grant.at > record.at && grant.at <= case_.now && as_specific &&
                           covers(grant.channel, touch.channel) && covers(grant.purpose, touch.purpose);
                });
            records.push_back(made);
        }
        return records;
    }

    Decision decide(const std::string& channel) {
        auto touch = case_.touch;
        touch.channel = channel;
        const auto names = profile_of(touch);
        const auto records = consents(touch);
        const Request request{.profile = intern(names),
                              .names = names,
                              .origin = case_.origin,
                              .touch = case_.touch_number,
                              .not_before = case_.not_before,
                              .expires_at = case_.expires_at,
                              .content = {case_.text, case_.has_text, case_.sign_name, case_.segments},
                              .held_out = case_.held_out,
                              .template_not_filed = case_.template_not_filed,
                              .contact_key = case_.contact_id,
                              .metadata = &case_.facts.metadata,
                              .facts = &facts_,
                              .predictive = case_.predictive,
                              .members = members_};
        const ContactView contact{.time_zone = case_.time_zone,
                                  .consents = records,
                                  .tags = tags_,
                                  .attributes = &case_.attributes,
                                  .restricted = case_.restricted,
                                  .last_inbound = case_.last_inbound,
                                  .last_complaint = case_.last_complaint,
                                  .last_conversation_end = case_.last_conversation_end,
                                  .last_reply = case_.last_reply,
                                  .open_ticket = case_.open_ticket,
                                  .history = history_,
                                  .acts = acts_,
                                  .lead_stages = case_.lead_stages};
        const AddressView address{.number = case_.address,
                                  .gone = case_.gone,
                                  .lists = lists_,
                                  .erased_denies = case_.erased,
                                  .review_pending = case_.review_pending,
                                  .region = case_.region,
                                  .carrier = case_.carrier,
                                  .zones = case_.zones};
        return policy_.decide(request, contact, address, &shared_, case_.now, Detail::explained);
    }

    const Case& case_;
    CompiledPolicy& policy_;
    SymbolTable& symbols_;
    ProfileTable& profiles_;
    std::vector<Symbol> tags_;
    std::vector<ListEntry> lists_;
    std::vector<HistoryEntry> history_;
    std::vector<Act> acts_;
    std::vector<std::vector<HistoryEntry>> member_entries_;
    std::vector<std::span<const HistoryEntry>> members_;
    AttemptFacts facts_;
    CaseHistory shared_;
};

}  // namespace

void check_cases(const Json& cases, const std::string& pointer, std::vector<Problem>& problems) { (void)parse_cases(cases, pointer, problems); }

Result<std::vector<CaseResult>> run_cases(const Json& document, const CaseContext& context) {
    SymbolTable symbols;
    ProfileTable profiles;
    const CompileContext compile_context{.symbols = symbols,
                                         .profiles = profiles,
                                         .calendars = context.calendars,
                                         .include = context.include,
                                         .default_zone = context.default_zone,
                                         .forbidden_words = context.forbidden_words};
    auto policy = CompiledPolicy::compile(document, compile_context);
    if (!policy) return policy.error();
    std::vector<CaseResult> results;
    std::vector<Problem> problems;
    if (const auto cases = document.find("cases"); cases != document.end())
        for (const auto& one : parse_cases(*cases, "/cases", problems)) results.push_back(CaseRun{one, **policy, symbols, profiles}.run());
    return results;
}

}  // namespace touchgate::policy
