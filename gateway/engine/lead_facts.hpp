// What the rules of `lead_routing` look at, gathered from a lead and its contact.
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

}  // namespace touchgate
