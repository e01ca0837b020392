// What the rules of `lead_routing` look at, gathered from a lead and its contact; and what others tell of leads.
#pragma once

#include <vector>

#include "gateway/engine/internals.hpp"

namespace touchgate {

// Holds what its views point to; the lead and its contact must outlive it.
struct LeadFacts {
    LeadFacts(const Engine::Internals& in, const LeadRow& lead);
    LeadFacts(const LeadFacts&) = delete;
    LeadFacts& operator=(const LeadFacts&) = delete;

    AttributeMap attributes;               // the lead's over the contact's
    std::vector<leads::Touchpoint> touchpoints;
    leads::Facts facts{};
};

// As Internals::lead_answered, of an answer that was given at `at`: in a call that has ended since.
void note_lead_answer(Engine::Internals& in, ContactIndex contact, const std::string& agent, Instant at);

}  // namespace touchgate
