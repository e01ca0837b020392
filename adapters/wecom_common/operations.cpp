#include "adapters/wecom_common/operations.hpp"

#include <array>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wecom_common {

namespace {

using channel::Operation;
using channel::OperationField;
using wechat::PlatformOperation;
using Kind = OperationField::Kind;

// ---- Fields that several operations share.

constexpr OperationField config_id{"config_id", Kind::text, true, 64, "of the way, as its making was answered"};
constexpr OperationField cursor{"cursor", Kind::text, false, 0, "next_cursor of the page before"};
constexpr OperationField userid{"userid", Kind::text, true, 64, "an employee"};
constexpr OperationField customer{"external_userid", Kind::text, true, 64, "a customer"};
constexpr OperationField handover{"handover_userid", Kind::text, true, 64, "the employee whose customers they are"};
constexpr OperationField takeover{"takeover_userid", Kind::text, true, 64, "the employee who gets them"};
constexpr OperationField customers{"external_userid", Kind::texts, true, 100, "customers"};
constexpr OperationField chats{"chat_id_list", Kind::texts, true, 100, "groups"};
constexpr OperationField new_owner{"new_owner", Kind::text, true, 64, "an employee"};

constexpr std::array add_way = {
    OperationField{"type", Kind::integer, true, 2, "1: one employee, 2: several"},
    OperationField{"scene", Kind::integer, true, 2, "1: in a mini program, 2: a QR code"},
    OperationField{"style", Kind::integer, false, 3, "of the button, scene 1"},
    OperationField{"remark", Kind::text, false, 30, ""},
    OperationField{"skip_verify", Kind::boolean, false, 0, "a customer is added without being asked; true by default"},
    OperationField{"state", Kind::text, false, 30, "comes back with every customer who comes this way: the lead's source is wecom:<state>"},
    OperationField{"user", Kind::texts, false, 100, "employees"},
    OperationField{"party", Kind::integers, false, 100, "departments"},
    OperationField{"is_temp", Kind::boolean, false, 0, "a temporary conversation"},
    OperationField{"expires_in", Kind::integer, false, 1'209'600, "seconds, of a temporary code"},
    OperationField{"chat_expires_in", Kind::integer, false, 1'209'600, "seconds, of a temporary conversation"},
    OperationField{"unionid", Kind::text, false, 128, "who alone may come, to a temporary conversation"},
    OperationField{"is_exclusive", Kind::boolean, false, 0, "a customer has one employee of the corporation at most"},
    OperationField{"conclusions", Kind::object, false, 0, "what a temporary conversation ends with"},
    OperationField{"mark_source", Kind::boolean, false, 0, ""},
};
constexpr std::array update_way = {
    config_id,
    OperationField{"remark", Kind::text, false, 30, ""},
    OperationField{"skip_verify", Kind::boolean, false, 0, ""},
    OperationField{"style", Kind::integer, false, 3, ""},
    OperationField{"state", Kind::text, false, 30, ""},
    OperationField{"user", Kind::texts, false, 100, ""},
    OperationField{"party", Kind::integers, false, 100, ""},
    OperationField{"expires_in", Kind::integer, false, 1'209'600, ""},
    OperationField{"chat_expires_in", Kind::integer, false, 1'209'600, ""},
    OperationField{"unionid", Kind::text, false, 128, ""},
    OperationField{"conclusions", Kind::object, false, 0, ""},
};
constexpr std::array one_way = {config_id};
constexpr std::array list_ways = {OperationField{"start_time", Kind::integer, false, 0, "seconds since 1970"}, OperationField{"end_time", Kind::integer, false, 0, "seconds since 1970"},
                                  cursor, OperationField{"limit", Kind::integer, false, 1'000, ""}};

constexpr std::array list_tags = {OperationField{"tag_id", Kind::texts, false, 100, "these tags"}, OperationField{"group_id", Kind::texts, false, 100, "the tags of these groups"}};
constexpr std::array add_tags = {OperationField{"group_id", Kind::text, false, 64, "an existing group, or"}, OperationField{"group_name", Kind::text, false, 30, "a new one's name"},
                                 OperationField{"order", Kind::integer, false, 0, "of the group"},
                                 OperationField{"tag", Kind::objects, true, 100, "each {\"name\", \"order\"}; a name has at most 30 characters"}};
constexpr std::array edit_tag = {OperationField{"id", Kind::text, true, 64, "of a tag or a group"}, OperationField{"name", Kind::text, false, 30, ""},
                                 OperationField{"order", Kind::integer, false, 0, ""}};
constexpr std::array mark_tags = {userid, customer, OperationField{"add_tag", Kind::texts, false, 100, "tag ids"}, OperationField{"remove_tag", Kind::texts, false, 100, "tag ids"}};
constexpr std::array remark = {userid, customer, OperationField{"remark", Kind::text, false, 20, ""}, OperationField{"description", Kind::text, false, 150, ""},
                               OperationField{"remark_company", Kind::text, false, 20, ""}, OperationField{"remark_mobiles", Kind::texts, false, 5, "replaces those there; [\"\"] empties them"},
                               OperationField{"remark_pic_mediaid", Kind::text, false, 256, ""}};
constexpr std::array one_customer = {customer, cursor};

constexpr std::array transfer = {handover, takeover, customers, OperationField{"transfer_success_msg", Kind::text, false, 200, "what the customer is told"}};
constexpr std::array transfer_resigned = {handover, takeover, customers};
constexpr std::array transfer_result = {handover, takeover, cursor};
constexpr std::array unassigned = {cursor, OperationField{"page_size", Kind::integer, false, 1'000, ""}};
constexpr std::array transfer_groups = {chats, new_owner};

constexpr std::array add_join_way = {
    OperationField{"scene", Kind::integer, true, 2, "1: in a mini program, 2: a QR code"},
    OperationField{"remark", Kind::text, false, 30, ""},
    OperationField{"auto_create_room", Kind::integer, false, 1, "1: a new group when all are full"},
    OperationField{"room_base_name", Kind::text, false, 40, "of new groups"},
    OperationField{"room_base_id", Kind::integer, false, 0, "number of the first new group"},
    OperationField{"chat_id_list", Kind::texts, true, 5, "groups"},
    OperationField{"state", Kind::text, false, 30, "comes back with every member who came this way"},
    OperationField{"mark_source", Kind::boolean, false, 0, ""},
};
constexpr std::array update_join_way = {
    config_id,
    OperationField{"scene", Kind::integer, true, 2, ""},
    OperationField{"remark", Kind::text, false, 30, ""},
    OperationField{"auto_create_room", Kind::integer, false, 1, ""},
    OperationField{"room_base_name", Kind::text, false, 40, ""},
    OperationField{"room_base_id", Kind::integer, false, 0, ""},
    OperationField{"chat_id_list", Kind::texts, true, 5, ""},
    OperationField{"state", Kind::text, false, 30, ""},
};
constexpr std::array welcome_fields = {
    OperationField{"text", Kind::object, false, 0, "{\"content\"}, %NICKNAME% stands for the new member"}, OperationField{"image", Kind::object, false, 0, "{\"media_id\"} or {\"pic_url\"}"},
    OperationField{"link", Kind::object, false, 0, ""}, OperationField{"miniprogram", Kind::object, false, 0, ""},
    OperationField{"file", Kind::object, false, 0, ""}, OperationField{"video", Kind::object, false, 0, ""},
    OperationField{"agentid", Kind::integer, false, 0, ""}, OperationField{"notify", Kind::integer, false, 1, "1: the group owners are told"},
};
constexpr std::array edit_welcome = {
    OperationField{"template_id", Kind::text, true, 64, ""}, OperationField{"text", Kind::object, false, 0, ""}, OperationField{"image", Kind::object, false, 0, ""},
    OperationField{"link", Kind::object, false, 0, ""}, OperationField{"miniprogram", Kind::object, false, 0, ""}, OperationField{"file", Kind::object, false, 0, ""},
    OperationField{"video", Kind::object, false, 0, ""}, OperationField{"agentid", Kind::integer, false, 0, ""},
};
constexpr std::array one_template = {OperationField{"template_id", Kind::text, true, 64, ""}, OperationField{"agentid", Kind::integer, false, 0, ""}};

// ---- What is made of answers.

// Each customer's errcode 0 means that his transfer began.
void started(Json& result) {
    if (const auto list = result.find("customer"); list != result.end() && list->is_array())
        for (auto& each : *list) {
            if (!each.is_object()) continue;
            each["started"] = channel::text_member(each, "errcode") == "0";
        }
}

void transferred(Json& result) {
    static constexpr std::array<std::string_view, 6> words = {"", "done", "waiting", "refused", "over_limit", "no_record"};
    if (const auto list = result.find("customer"); list != result.end() && list->is_array())
        for (auto& each : *list) {
            if (!each.is_object()) continue;
            const auto status = channel::text_member(each, "status");
            const auto number = status.size() == 1 && status[0] >= '1' && status[0] <= '5' ? static_cast<std::size_t>(status[0] - '0') : 0;
            each["state"] = number == 0 ? std::string_view{"unknown"} : words[number];
        }
}

constexpr std::array customer_table = {
    PlatformOperation{{"add_contact_way", "makes a contact way (联系我): a QR code or a button by which customers add employees", true, add_way}, "/cgi-bin/externalcontact/add_contact_way"},
    PlatformOperation{{"get_contact_way", "a contact way", false, one_way}, "/cgi-bin/externalcontact/get_contact_way"},
    PlatformOperation{{"list_contact_ways", "the contact ways that were made by API, by time", false, list_ways}, "/cgi-bin/externalcontact/list_contact_way"},
    PlatformOperation{{"update_contact_way", "changes a contact way; what is not given stays", true, update_way}, "/cgi-bin/externalcontact/update_contact_way"},
    PlatformOperation{{"delete_contact_way", "ends a contact way", true, one_way}, "/cgi-bin/externalcontact/del_contact_way"},

    PlatformOperation{{"list_tags", "the corporation's customer tags", false, list_tags}, "/cgi-bin/externalcontact/get_corp_tag_list"},
    PlatformOperation{{"add_tags", "makes customer tags in a group", true, add_tags}, "/cgi-bin/externalcontact/add_corp_tag"},
    PlatformOperation{{"edit_tag", "renames or moves a tag or a group", true, edit_tag}, "/cgi-bin/externalcontact/edit_corp_tag"},
    PlatformOperation{{"delete_tags", "ends tags or groups of tags", true, list_tags}, "/cgi-bin/externalcontact/del_corp_tag"},
    PlatformOperation{{"mark_tags", "gives a customer tags, or takes them; the contact's tags follow", true, mark_tags}, "/cgi-bin/externalcontact/mark_tag", false, nullptr, nullptr, pull_customer},
    PlatformOperation{{"remark", "an employee's notes of a customer", true, remark}, "/cgi-bin/externalcontact/remark", false, nullptr, nullptr, pull_customer},
    PlatformOperation{{"get_customer", "a customer and the employees whom he has", false, one_customer}, "/cgi-bin/externalcontact/get", true},

    PlatformOperation{{"transfer_customers", "gives customers of an employee to a colleague; each customer at most twice in 90 days", true, transfer}, "/cgi-bin/externalcontact/transfer_customer", false, nullptr, started},
    PlatformOperation{{"transfer_result", "how far such transfers are", false, transfer_result}, "/cgi-bin/externalcontact/transfer_result", false, nullptr, transferred},
    PlatformOperation{{"transfer_resigned_customers", "gives customers of an employee who left to a colleague", true, transfer_resigned}, "/cgi-bin/externalcontact/resigned/transfer_customer", false, nullptr, started},
    PlatformOperation{{"transfer_resigned_result", "how far such transfers are", false, transfer_result}, "/cgi-bin/externalcontact/resigned/transfer_result", false, nullptr, transferred},
    PlatformOperation{{"list_unassigned", "customers of employees who left", false, unassigned}, "/cgi-bin/externalcontact/get_unassigned_list"},
};

constexpr std::array group_table = {
    PlatformOperation{{"transfer_groups", "gives groups of an owner who left to an employee", true, transfer_groups}, "/cgi-bin/externalcontact/groupchat/transfer"},
    PlatformOperation{{"transfer_groups_onjob", "gives groups of an owner to a colleague; each group at most twice in 90 days", true, transfer_groups}, "/cgi-bin/externalcontact/groupchat/onjob_transfer"},
    PlatformOperation{{"add_join_way", "makes a way into groups: a QR code or a button", true, add_join_way}, "/cgi-bin/externalcontact/groupchat/add_join_way"},
    PlatformOperation{{"get_join_way", "a way into groups, with its QR code", false, one_way}, "/cgi-bin/externalcontact/groupchat/get_join_way"},
    PlatformOperation{{"update_join_way", "replaces a way into groups as a whole", true, update_join_way}, "/cgi-bin/externalcontact/groupchat/update_join_way"},
    PlatformOperation{{"delete_join_way", "ends a way into groups", true, one_way}, "/cgi-bin/externalcontact/groupchat/del_join_way"},
    PlatformOperation{{"add_group_welcome", "makes a template of what new members of groups are greeted with", true, welcome_fields}, "/cgi-bin/externalcontact/group_welcome_template/add"},
    PlatformOperation{{"edit_group_welcome", "replaces such a template", true, edit_welcome}, "/cgi-bin/externalcontact/group_welcome_template/edit"},
    PlatformOperation{{"get_group_welcome", "such a template", false, one_template}, "/cgi-bin/externalcontact/group_welcome_template/get"},
    PlatformOperation{{"delete_group_welcome", "ends such a template", true, one_template}, "/cgi-bin/externalcontact/group_welcome_template/del"},
};

}  // namespace

std::span<const PlatformOperation> customer_operations() { return customer_table; }
std::span<const PlatformOperation> group_operations() { return group_table; }

}  // namespace touchgate::adapters::wecom_common
