#include "gateway/http/endpoints/endpoints.hpp"

namespace touchgate::http {

void add_all_endpoints(Router& router) {
    add_touch_endpoints(router);
    add_contact_endpoints(router);
    add_consent_endpoints(router);
    add_suppression_endpoints(router);
    add_campaign_endpoints(router);
    add_conversion_endpoints(router);
    add_event_endpoints(router);
    add_report_endpoints(router);
    add_policy_endpoints(router);
    add_calendar_endpoints(router);
    add_hold_endpoints(router);
    add_operation_endpoints(router);
    add_hook_endpoints(router);
    add_interaction_endpoints(router);
    add_account_endpoints(router);
    add_recording_endpoints(router);
    add_agent_endpoints(router);
    add_agent_socket_endpoint(router);
    add_queue_endpoints(router);
    add_lead_endpoints(router);
    add_form_endpoints(router);
    add_console_endpoints(router);
}

}  // namespace touchgate::http
