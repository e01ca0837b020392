#include "adapters/wecom_common/errors.hpp"

#include <algorithm>
#include <array>

namespace touchgate::adapters::wecom_common {

namespace {

using namespace channel;
using namespace std::chrono_literals;
using wechat::CodeMeaning;
using wechat::Wait;
using Kind = OutcomeKind;

constexpr std::array meanings = std::to_array<CodeMeaning>({
    {-1, -1, Kind::not_sent, Wait::none, "", "", "WeCom is busy"},
    {6000, 6000, Kind::not_sent, Wait::none, "", "", "the data was changed by another caller at the same time"},

    {40001, 40001, Kind::credentials, Wait::none, "", "", "the secret or the token was refused"},
    {40014, 40014, Kind::credentials, Wait::none, "", "", "the token was refused"},
    {42001, 42001, Kind::credentials, Wait::none, "", "", "the token has expired"},
    {40013, 40013, Kind::credentials, Wait::none, "", "", "corp_id is unknown"},
    {40091, 40091, Kind::credentials, Wait::none, "", "", "the secret is wrong"},
    {41002, 41002, Kind::credentials, Wait::none, "", "", "corp_id is missing"},
    {41004, 41004, Kind::credentials, Wait::none, "", "", "the secret is missing"},
    {41001, 41001, Kind::config, Wait::none, "", "", "the request had no token"},
    {40082, 40082, Kind::credentials, Wait::none, "", "", "a suite's token was refused"},
    {42009, 42009, Kind::credentials, Wait::none, "", "", "a suite's token has expired"},

    {40003, 40003, Kind::recipient_invalid, Wait::none, "member", "", "no such member, or out of the application's scope"},
    {40031, 40031, Kind::recipient_invalid, Wait::none, "member", "", "no such member, or out of the application's scope"},
    {46004, 46004, Kind::recipient_invalid, Wait::none, "member", "", "no such member"},
    {60021, 60021, Kind::recipient_invalid, Wait::none, "member", "", "the member is out of the application's scope"},
    {81013, 81013, Kind::recipient_invalid, Wait::none, "member", "", "none of the receivers is valid"},
    {82001, 82001, Kind::refused, Wait::none, "", "", "no receiver was given"},
    {40032, 40032, Kind::refused, Wait::none, "", "", "too many receivers in one request"},
    {82002, 82003, Kind::refused, Wait::none, "", "", "too many departments or tags in one request"},
    {81017, 81017, Kind::refused, Wait::none, "", "", "too many members in scope: name the owners"},
    {40035, 40035, Kind::refused, Wait::none, "", "", "a parameter is wrong"},
    {40058, 40058, Kind::refused, Wait::none, "", "", "a parameter is wrong or too long"},
    {40063, 40063, Kind::refused, Wait::none, "", "", "a parameter is empty"},

    {40004, 40007, Kind::content_rejected, Wait::none, "", "attachments", "the media is of a wrong kind or size, or its id has expired"},
    {40009, 40009, Kind::content_rejected, Wait::none, "", "attachments", "the picture has a wrong size"},
    {41006, 41006, Kind::content_rejected, Wait::none, "", "attachments", "the media id is missing"},
    {44001, 44001, Kind::content_rejected, Wait::none, "", "attachments", "the media is empty"},
    {45001, 45001, Kind::content_rejected, Wait::none, "", "attachments", "the media is too large"},
    {40123, 40123, Kind::content_rejected, Wait::none, "", "attachments", "the picture cannot be read"},
    {301015, 301015, Kind::content_rejected, Wait::none, "", "attachments", "the media has a wrong size"},
    {40008, 40008, Kind::content_rejected, Wait::none, "", "msgtype", "no such kind of message"},
    {44004, 44004, Kind::content_rejected, Wait::none, "", "text", "the text is empty"},
    {45002, 45002, Kind::content_rejected, Wait::none, "", "text", "the text is too long"},
    {45007, 45008, Kind::content_rejected, Wait::none, "", "attachments", "the media lasts too long or the message has too many articles"},
    {40033, 40033, Kind::content_rejected, Wait::none, "", "text", "escaped characters in the text"},
    {40039, 40039, Kind::content_rejected, Wait::none, "", "url", "the link is too long"},
    {42014, 42026, Kind::refused, Wait::none, "", "", "the card's task or response code is wrong, used up or too old"},
    {42027, 42051, Kind::content_rejected, Wait::none, "", "template_card", "the card is malformed"},
    {42052, 42052, Kind::refused, Wait::none, "", "", "too late to recall"},
    {40201, 40201, Kind::content_rejected, Wait::none, "", "text", "stopped by WeCom's anti-spam"},
    {40204, 40204, Kind::content_rejected, Wait::none, "", "text", "stopped by WeCom's anti-spam"},

    {40056, 40056, Kind::config, Wait::none, "", "", "agent_id is wrong"},
    {41011, 41011, Kind::config, Wait::none, "", "", "agent_id is missing"},
    {301002, 301002, Kind::config, Wait::none, "", "", "the application belongs to another secret"},
    {50003, 50003, Kind::config, Wait::none, "", "", "the application is switched off"},
    {50006, 50006, Kind::config, Wait::none, "", "", "the application is not published"},
    {60031, 60031, Kind::config, Wait::none, "", "", "the application is not usable"},
    {48001, 48002, Kind::config, Wait::none, "", "", "the application has no right to this call"},
    {48004, 48007, Kind::config, Wait::none, "", "", "the application has no right to this call, or the call was withdrawn"},
    {60011, 60011, Kind::config, Wait::none, "", "", "the application's scope does not allow it"},
    {60020, 60020, Kind::config, Wait::none, "", "", "the gateway's address is not on the application's list of trusted addresses"},
    {40141, 40141, Kind::config, Wait::none, "", "", "the corporation's account is in trouble"},
    {43009, 43009, Kind::config, Wait::none, "", "", "the corporation is not verified"},
    {43012, 43012, Kind::config, Wait::none, "", "", "the corporation lacks a right"},
    {45031, 45031, Kind::config, Wait::none, "", "", "the secret is too weak or must be renewed"},
    {701008, 701008, Kind::config, Wait::none, "", "", "the licence is missing"},

    {45009, 45009, Kind::throttled, Wait::minute, "account", "", "WeCom's frequency limit"},
    {45033, 45033, Kind::throttled, Wait::by_itself, "account", "", "too many parallel calls"},
    {41078, 41078, Kind::throttled, Wait::minute, "account", "", "too many moments are being made"},

    {40096, 40096, Kind::recipient_invalid, Wait::none, "customer", "", "no such customer"},
    {84061, 84061, Kind::recipient_refuses, Wait::none, "customer", "", "the customer is no friend of this employee"},
    {84083, 84084, Kind::recipient_refuses, Wait::none, "customer", "", "the customer is no friend of this employee"},
    {40131, 40131, Kind::refused, Wait::none, "", "", "this employee does not follow the customer"},
    {40098, 40098, Kind::recipient_invalid, Wait::none, "member", "", "the member is not verified"},
    {41054, 41054, Kind::recipient_invalid, Wait::none, "member", "", "the member is not activated"},
    {40205, 40205, Kind::recipient_invalid, Wait::none, "member", "", "the member's ticket has expired"},
    {40143, 40143, Kind::recipient_invalid, Wait::none, "member", "", "the member is banned"},
    {40097, 40097, Kind::refused, Wait::none, "", "", "the customer cannot be handed over now"},
    {40099, 40100, Kind::refused, Wait::none, "", "", "the customer cannot be handed over now"},
    {40128, 40130, Kind::refused, Wait::none, "", "", "the customer cannot be handed over now"},
    // Not a customer's refusal: an employee who follows none of them is the same answer.
    {41048, 41048, Kind::refused, Wait::none, "", "", "the employee can send to none of them"},
    {41046, 41047, Kind::refused, Wait::none, "", "", "the task is unknown"},
    {41093, 41093, Kind::refused, Wait::none, "", "", "the task is cancelled"},
    {41063, 41063, Kind::not_sent, Wait::none, "", "", "the task is still being handed out"},
    {41079, 41079, Kind::not_sent, Wait::none, "", "", "the moment is still being handed out"},
    {41094, 41094, Kind::quota_exhausted, Wait::day, "recipient", "", "reminded too often"},
    {41050, 41050, Kind::refused, Wait::none, "", "", "the welcome code is wrong or older than 20 s"},
    {41051, 41051, Kind::accepted, Wait::none, "", "", "they are already chatting"},
    {41096, 41096, Kind::not_sent, Wait::none, "", "", "another application is sending the welcome message"},
    {41053, 41053, Kind::refused, Wait::none, "", "", "the customer has not agreed to archiving"},
    {41064, 41065, Kind::content_rejected, Wait::none, "", "attachments", "an attachment is wrong"},
    {41072, 41072, Kind::content_rejected, Wait::none, "", "attachments", "the media was not uploaded as an attachment of moments"},
    {41080, 41082, Kind::content_rejected, Wait::none, "", "attachments", "an attachment is wrong"},
    {41089, 41090, Kind::content_rejected, Wait::none, "", "attachments", "an attachment is wrong"},
    {41045, 41045, Kind::config, Wait::none, "", "", "a quota of the corporation is used up"},
    {41095, 41095, Kind::config, Wait::none, "", "", "a quota of the corporation is used up"},
    {40126, 40126, Kind::config, Wait::none, "", "", "the corporation has too many tags"},
    {45024, 45024, Kind::config, Wait::none, "", "", "a quota of the corporation is used up"},
    {60140, 60140, Kind::refused, Wait::none, "", "", "the card was updated already"},
    {50100, 50100, Kind::refused, Wait::none, "", "", "the list's cursor is not valid any more"},

    {40050, 40050, Kind::recipient_invalid, Wait::none, "group", "", "no such group"},
    {86001, 86001, Kind::recipient_invalid, Wait::none, "group", "", "no such group"},
    {86003, 86003, Kind::recipient_invalid, Wait::none, "group", "", "no such group"},
    {86008, 86008, Kind::recipient_invalid, Wait::none, "group", "", "not this application's group"},
    {86207, 86207, Kind::recipient_invalid, Wait::none, "group", "", "not this application's group"},
    {49008, 49008, Kind::recipient_invalid, Wait::none, "group", "", "the group is dissolved or no customers' group"},
    {90500, 90511, Kind::recipient_invalid, Wait::none, "group", "", "the group is dissolved or no customers' group"},
    {93000, 93000, Kind::recipient_invalid, Wait::none, "group", "", "the robot's key is wrong or the robot is gone"},
    {93004, 93004, Kind::recipient_invalid, Wait::none, "group", "", "the robot is switched off"},
    {93008, 93008, Kind::recipient_invalid, Wait::none, "group", "", "the robot is not in the group"},

    {95000, 95000, Kind::config, Wait::none, "", "", "open_kfid is wrong"},
    {95001, 95001, Kind::window_closed, Wait::none, "", "", "five messages are sent: the customer must write first"},
    {95002, 95002, Kind::window_closed, Wait::none, "", "", "48 hours are over: the customer must write first"},
    {95013, 95013, Kind::window_closed, Wait::none, "", "", "the session has ended: the customer must write first"},
    {95018, 95018, Kind::window_closed, Wait::none, "", "", "the session's state does not allow a message"},
    {95031, 95031, Kind::window_closed, Wait::none, "", "", "the customer has not written in 48 hours"},
    {95003, 95003, Kind::config, Wait::none, "", "", "an unverified corporation has used up its customers"},
    {95004, 95004, Kind::config, Wait::none, "", "", "open_kfid is unknown"},
    {95007, 95007, Kind::not_sent, Wait::none, "", "", "the callback's token has expired"},
    {95008, 95009, Kind::content_rejected, Wait::none, "", "msgmenu", "the menu has too many items or one of a wrong kind"},
    {95011, 95012, Kind::config, Wait::none, "", "", "the customer-service account is not managed by the API"},
    {95014, 95014, Kind::refused, Wait::none, "", "", "this employee does not serve this account"},
    {95016, 95016, Kind::refused, Wait::none, "", "", "the session cannot change to that state"},
    {95017, 95017, Kind::config, Wait::none, "", "", "the application has no right to this account"},
    {95019, 95019, Kind::refused, Wait::none, "", "", "this employee has stopped serving"},
    {95022, 95022, Kind::content_rejected, Wait::none, "", "msgtype", "this kind of message is not allowed here"},
    {95023, 95023, Kind::config, Wait::none, "", "", "the customer-service account is not usable"},
    {95027, 95027, Kind::config, Wait::none, "", "", "the corporation has too many customer-service accounts"},
    {95030, 95030, Kind::content_rejected, Wait::none, "", "msgtype", "this kind of message is not allowed here"},
});

bool speaks_of(std::string_view about, Addressee addressee) {
    if (about == "customer") return addressee == Addressee::customer;
    if (about == "member") return addressee == Addressee::member;
    return addressee == Addressee::group;
}

// 45009 blocks for as long as the limit's own window, which only the text tells.
void wait_as_told(Outcome& outcome, std::string_view message) {
    const auto tells = [&](std::string_view word) { return message.find(word) != std::string_view::npos; };
    if (tells("month") || tells("day")) {
        outcome.kind = Kind::quota_exhausted;
        outcome.retry_after = one_day;
    } else if (tells("hour")) {
        outcome.retry_after = 1h;
    }
}

}  // namespace

std::span<const CodeMeaning> known_codes() { return meanings; }

Outcome outcome_of(const Answer& answer, Addressee addressee) {
    auto outcome = wechat::outcome_of(answer, meanings);
    if (outcome.kind == Kind::recipient_invalid || outcome.kind == Kind::recipient_refuses) {
        if (!speaks_of(outcome.scope, addressee)) outcome.kind = Kind::refused;
        outcome.scope.clear();
    }
    if (answer.errcode == 45009) wait_as_told(outcome, text_member(answer.body, "errmsg"));
    return outcome;
}

}  // namespace touchgate::adapters::wecom_common
