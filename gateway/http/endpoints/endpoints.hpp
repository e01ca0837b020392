// All endpoints, one file per resource. Each adds its routes.
#pragma once

#include "gateway/http/router.hpp"

namespace touchgate::http {

void add_touch_endpoints(Router& router);
void add_contact_endpoints(Router& router);
void add_consent_endpoints(Router& router);
void add_suppression_endpoints(Router& router);
void add_campaign_endpoints(Router& router);
void add_conversion_endpoints(Router& router);
void add_event_endpoints(Router& router);
void add_report_endpoints(Router& router);
void add_policy_endpoints(Router& router);
void add_calendar_endpoints(Router& router);
void add_hold_endpoints(Router& router);
void add_operation_endpoints(Router& router);
void add_hook_endpoints(Router& router);
void add_interaction_endpoints(Router& router);
void add_account_endpoints(Router& router);
void add_recording_endpoints(Router& router);
void add_agent_endpoints(Router& router);
void add_agent_socket_endpoint(Router& router);
void add_queue_endpoints(Router& router);
void add_lead_endpoints(Router& router);
void add_form_endpoints(Router& router);
void add_console_endpoints(Router& router);

void add_all_endpoints(Router& router);

}  // namespace touchgate::http
