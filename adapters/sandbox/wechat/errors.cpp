#include "adapters/sandbox/wechat/errors.hpp"

#include <algorithm>
#include <iterator>

namespace touchgate::sandbox {

namespace {

struct Row {
    int code;
    std::string_view text;
};

constexpr Row rows[] = {
    {-1, "system error"},
    {0, "ok"},
    {40001, "invalid credential, access_token is invalid or not latest"},
    {40002, "invalid grant_type"},
    {40003, "invalid openid or userid"},
    {40004, "invalid media type"},
    {40006, "invalid media size"},
    {40007, "invalid media_id"},
    {40008, "invalid message type"},
    {40013, "invalid appid or corpid"},
    {40014, "invalid access_token"},
    {40032, "invalid user list size"},
    {40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"},
    {40035, "invalid parameter"},
    {40037, "invalid template_id"},
    {40050, "chatid does not exist"},
    {40056, "invalid agentid"},
    {40058, "invalid Request Parameter"},
    {40059, "invalid msg_id"},
    {40066, "invalid url"},
    {40068, "invalid tagid"},
    {40096, "invalid external userid"},
    {40125, "invalid appsecret"},
    {40130, "invalid openid list size, at least two openid"},
    {41001, "access_token missing"},
    {41002, "appid or corpid missing"},
    {41004, "secret missing"},
    {41005, "media data missing"},
    {41011, "missing agentid"},
    {41030, "invalid page"},
    {41044, "invalid config_id"},
    {41046, "missing group message id"},
    {41047, "invalid group message id"},
    {41048, "no customer to send"},
    {41049, "missing welcome_code"},
    {41050, "invalid welcome code"},
    {41051, "externaluser has started chatting"},
    {41060, "invalid moment_id"},
    {41061, "the moment is not of this user"},
    {41062, "the user has not published the moment"},
    {41063, "group message is being dispatched, try again later"},
    {41064, "too many attachments"},
    {41065, "invalid attachment type"},
    {41072, "attachment is for another scene"},
    {41089, "text and attachments must not both be empty"},
    {41093, "group message has been cancelled"},
    {41094, "reminders exceed the frequency limit"},
    {42001, "access_token expired"},
    {42052, "msgid expired"},
    {43001, "require GET method"},
    {43002, "require POST method"},
    {43004, "require subscribe"},
    {43101, "user refuse to accept the msg"},
    {44002, "empty post data"},
    {44004, "empty content"},
    {45002, "content size out of limit"},
    {45009, "api freq out of limit"},
    {45011, "api minute-quota reach limit, must slower, retry next minute"},
    {45015, "response out of time limit or subscription is canceled"},
    {45028, "has no masssend quota"},
    {45033, "api concurrent out of limit"},
    {45047, "out of response count limit"},
    {45056, "too many tags"},
    {45058, "system tag cannot be changed"},
    {45059, "a user has too many tags"},
    {45065, "clientmsgid exist"},
    {45066, "same clientmsgid retry too fast"},
    {45067, "clientmsgid size out of limit"},
    {45072, "invalid command"},
    {45083, "invalid speed"},
    {45157, "invalid tag name"},
    {45159, "invalid tag"},
    {46004, "user does not exist"},
    {46003, "menu does not exist"},
    {47001, "data format error"},
    {47003, "argument invalid"},
    {48001, "api unauthorized"},
    {48002, "user block the message"},
    {48006, "forbid to clear quota because of reaching the limit"},
    {49008, "the group has been dissolved"},
    {50100, "invalid cursor"},
    {60111, "userid not found"},
    {81013, "user & party & tag all invalid"},
    {82001, "user & party & tag all empty"},
    {84061, "not external contact"},
    {95000, "invalid open_kfid"},
    {95001, "send msg count limit"},
    {95002, "send msg time limit"},
    {95004, "open_kfid does not exist"},
    {95007, "invalid msg token"},
    {95008, "too many menu items"},
    {95014, "not a servicer"},
    {95016, "this change of state is not allowed"},
    {95018, "send msg session status invalid"},
    {95019, "servicer does not receive"},
};

}  // namespace

std::string_view error_text(int code) {
    const auto* const found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.code == code; });
    return found == std::end(rows) ? std::string_view{"request refused"} : found->text;
}

}  // namespace touchgate::sandbox
