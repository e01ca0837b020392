// A policy's own test cases, the `cases` of its document: a contact, a history, a touch, and what must come out.
//
//   {"name", "now", "contact": {"id","time_zone","consents","tags","attributes","restricted","open_ticket","last_inbound","last_complaint",
//    "last_conversation_end","last_reply","acts": [{"at","event","kind","channel"}]}, "address": {"number","region","carrier","zones","lists","gone","erased","review_pending"},
//    "history": [{"at","purpose","channel","account","campaign","unit","template","slot","touch","attempt","outcome","address","contact",
//    "cost","currency","region","caller_id","list","metadata","attributes"}],
//    "touch": {"purpose","channels","account","campaign","template","unit","content": {"text","sign_name","segments"},"origin","not_before",
//    "expires_at","held_out","template_not_filed","number","cost","currency","caller_id","list","metadata","predictive",
//    "members": [{"history": […]}]}, "expect": {"verdict","rule","until","reason","channel"}}
//
// Of several channels, the first that is allowed is taken, else the one with the earliest `until`, else the first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/policy/decide.hpp"

namespace touchgate::policy {

struct CaseResult {
    std::string name;
    bool passed = false;
    std::vector<std::string> differences;  // "verdict: expected allow, got defer"
    Json decision;                         // the decision object, with its trace
};

struct CaseContext {
    const Calendars& calendars;
    IncludeLoader include = {};
    std::string default_zone = "Asia/Shanghai";
    WordsLoader forbidden_words = {};
};

// Compiles the document in tables of its own and runs its cases. The problems of the document when it does not compile.
[[nodiscard]] Result<std::vector<CaseResult>> run_cases(const Json& document, const CaseContext& context);

// Checks the form of a document's `cases`; what is wrong goes to `problems`.
void check_cases(const Json& cases, const std::string& pointer, std::vector<Problem>& problems);

}  // namespace touchgate::policy
