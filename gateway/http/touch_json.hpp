// Views of the engine → the JSON of the API.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/views.hpp"
#include "gateway/http/query_port.hpp"

namespace touchgate::http {

void append_decision(std::string& out, const DecisionView& decision);

// The touch as a POST answers it.
void append_touch(std::string& out, const TouchView& touch);
// With its attempts and events, as GET /v1/touches/{id} answers it.
void append_touch_in_full(std::string& out, const TouchView& touch, const std::vector<EventText>& events);

void append_attributes(std::string& out, const AttributeMap& attributes);
void append_contact(std::string& out, const ContactDetails& contact);
void append_suppression(std::string& out, const SuppressionDetails& suppression);
void append_campaign(std::string& out, const CampaignDetails& campaign);
void append_preview(std::string& out, const CampaignPreview& preview);
void append_account(std::string& out, const AccountDetails& account);
void append_hold(std::string& out, const HoldDetails& hold);

// {"items": […], "next_cursor": "…"|null}
[[nodiscard]] std::string list_of(std::string_view items, std::string_view next_cursor);

// [a,b,…] with `append(out, element)` for each.
template <class Range, class Append> void append_array(std::string& out, const Range& elements, Append append) {
    out += '[';
    bool first = true;
    for (const auto& element : elements) {
        if (!first) out += ',';
        first = false;
        append(out, element);
    }
    out += ']';
}

}  // namespace touchgate::http
