#include "adapters/wecom/welcome.hpp"

#include "adapters/wecom_common/errors.hpp"
#include "adapters/wecom_common/mass_message.hpp"

namespace touchgate::adapters::wecom {

using namespace channel;
using namespace wecom_common;

std::string welcome_code(const Content& content) { return reply_code_of(content, "welcome_code"); }

HttpRequest welcome_request(const Corp& corp, const Content& content, const Resources& resources) {
    auto body = message_of(read_mass_content(content));
    body["welcome_code"] = welcome_code(content);
    return post(corp, "/cgi-bin/externalcontact/send_welcome_msg", body, resources);
}

Outcome read_welcome(const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (says_done(answer)) return {.kind = OutcomeKind::accepted, .code = "0"};
    return outcome_of(answer, Addressee::customer);
}

}  // namespace touchgate::adapters::wecom
