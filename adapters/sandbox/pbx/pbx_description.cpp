// The API's description of itself (Swagger 1.1), from which clients such as npm's ari-client build their methods.
#include <array>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

struct Operation {
    std::string_view api, method, path, name, answer, parameters;  // parameters of the query; "variables" stands in the body
};

constexpr std::array operations = {
    Operation{"asterisk", "GET", "/asterisk/info", "getInfo", "AsteriskInfo", "only"},
    Operation{"asterisk", "GET", "/asterisk/ping", "ping", "AsteriskPing", ""},
    Operation{"applications", "GET", "/applications", "list", "List[Application]", ""},
    Operation{"applications", "GET", "/applications/{applicationName}", "get", "Application", ""},
    Operation{"applications", "POST", "/applications/{applicationName}/subscription", "subscribe", "Application", "eventSource"},
    Operation{"applications", "DELETE", "/applications/{applicationName}/subscription", "unsubscribe", "Application", "eventSource"},
    Operation{"endpoints", "GET", "/endpoints", "list", "List[Endpoint]", ""},
    Operation{"channels", "GET", "/channels", "list", "List[Channel]", ""},
    Operation{"channels", "POST", "/channels", "originate", "Channel", "endpoint extension context priority app appArgs callerId timeout channelId originator variables"},
    Operation{"channels", "POST", "/channels/create", "create", "Channel", "endpoint app appArgs channelId originator variables"},
    Operation{"channels", "GET", "/channels/{channelId}", "get", "Channel", ""},
    Operation{"channels", "DELETE", "/channels/{channelId}", "hangup", "void", "reason reason_code"},
    Operation{"channels", "POST", "/channels/{channelId}/dial", "dial", "void", "caller timeout"},
    Operation{"channels", "POST", "/channels/{channelId}/answer", "answer", "void", ""},
    Operation{"channels", "POST", "/channels/{channelId}/ring", "ring", "void", ""},
    Operation{"channels", "DELETE", "/channels/{channelId}/ring", "ringStop", "void", ""},
    Operation{"channels", "POST", "/channels/{channelId}/continue", "continueInDialplan", "void", "context extension priority label"},
    Operation{"channels", "POST", "/channels/{channelId}/dtmf", "sendDTMF", "void", "dtmf before between duration after"},
    Operation{"channels", "POST", "/channels/{channelId}/mute", "mute", "void", "direction"},
    Operation{"channels", "DELETE", "/channels/{channelId}/mute", "unmute", "void", "direction"},
    Operation{"channels", "POST", "/channels/{channelId}/hold", "hold", "void", ""},
    Operation{"channels", "DELETE", "/channels/{channelId}/hold", "unhold", "void", ""},
    Operation{"channels", "POST", "/channels/{channelId}/moh", "startMoh", "void", "mohClass"},
    Operation{"channels", "DELETE", "/channels/{channelId}/moh", "stopMoh", "void", ""},
    Operation{"channels", "POST", "/channels/{channelId}/play", "play", "Playback", "media lang offsetms skipms playbackId"},
    Operation{"channels", "POST", "/channels/{channelId}/play/{playbackId}", "playWithId", "Playback", "media lang offsetms skipms"},
    Operation{"channels", "POST", "/channels/{channelId}/record", "record", "LiveRecording", "name format maxDurationSeconds maxSilenceSeconds ifExists beep terminateOn"},
    Operation{"channels", "GET", "/channels/{channelId}/variable", "getChannelVar", "Variable", "variable"},
    Operation{"channels", "POST", "/channels/{channelId}/variable", "setChannelVar", "void", "variable value"},
    Operation{"channels", "POST", "/channels/{channelId}/snoop", "snoopChannel", "Channel", "spy whisper app appArgs snoopId"},
    Operation{"bridges", "GET", "/bridges", "list", "List[Bridge]", ""},
    Operation{"bridges", "POST", "/bridges", "create", "Bridge", "type bridgeId name"},
    Operation{"bridges", "GET", "/bridges/{bridgeId}", "get", "Bridge", ""},
    Operation{"bridges", "DELETE", "/bridges/{bridgeId}", "destroy", "void", ""},
    Operation{"bridges", "POST", "/bridges/{bridgeId}/addChannel", "addChannel", "void", "channel role absorbDTMF mute"},
    Operation{"bridges", "POST", "/bridges/{bridgeId}/removeChannel", "removeChannel", "void", "channel"},
    Operation{"bridges", "POST", "/bridges/{bridgeId}/play", "play", "Playback", "media lang offsetms skipms playbackId"},
    Operation{"bridges", "POST", "/bridges/{bridgeId}/record", "record", "LiveRecording", "name format maxDurationSeconds maxSilenceSeconds ifExists beep terminateOn"},
    Operation{"playbacks", "GET", "/playbacks/{playbackId}", "get", "Playback", ""},
    Operation{"playbacks", "DELETE", "/playbacks/{playbackId}", "stop", "void", ""},
    Operation{"playbacks", "POST", "/playbacks/{playbackId}/control", "control", "void", "operation"},
    Operation{"recordings", "GET", "/recordings/stored", "listStored", "List[StoredRecording]", ""},
    Operation{"recordings", "GET", "/recordings/stored/{recordingName}", "getStored", "StoredRecording", ""},
    Operation{"recordings", "GET", "/recordings/stored/{recordingName}/file", "getStoredFile", "binary", ""},
    Operation{"recordings", "DELETE", "/recordings/stored/{recordingName}", "deleteStored", "void", ""},
    Operation{"recordings", "GET", "/recordings/live/{recordingName}", "getLive", "LiveRecording", ""},
    Operation{"recordings", "POST", "/recordings/live/{recordingName}/stop", "stop", "void", ""},
    Operation{"recordings", "POST", "/recordings/live/{recordingName}/pause", "pause", "void", ""},
    Operation{"recordings", "DELETE", "/recordings/live/{recordingName}/pause", "unpause", "void", ""},
};

// Which of an event's members are resources.
struct EventModel {
    std::string_view type, members;
};
constexpr std::array events = {
    EventModel{"StasisStart", "channel:Channel replace_channel:Channel"}, EventModel{"StasisEnd", "channel:Channel"},
    EventModel{"ChannelStateChange", "channel:Channel"},                  EventModel{"ChannelHangupRequest", "channel:Channel"},
    EventModel{"ChannelDestroyed", "channel:Channel"},                    EventModel{"ChannelVarset", "channel:Channel"},
    EventModel{"ChannelDtmfReceived", "channel:Channel"},                 EventModel{"ChannelHold", "channel:Channel"},
    EventModel{"ChannelUnhold", "channel:Channel"},                       EventModel{"ChannelEnteredBridge", "channel:Channel bridge:Bridge"},
    EventModel{"ChannelLeftBridge", "channel:Channel bridge:Bridge"},     EventModel{"ChannelTransfer", ""},
    EventModel{"Dial", "peer:Channel caller:Channel"},                    EventModel{"PlaybackStarted", "playback:Playback"},
    EventModel{"PlaybackFinished", "playback:Playback"},                  EventModel{"RecordingStarted", "recording:LiveRecording"},
    EventModel{"RecordingFinished", "recording:LiveRecording"},           EventModel{"RecordingFailed", "recording:LiveRecording"},
    EventModel{"ApplicationReplaced", ""},
};

Json operation_json(const Operation& operation) {
    Json parameters = Json::array();
    const auto add = [&](std::string_view name, const char* where) {
        parameters.push_back({{"name", name}, {"paramType", where}, {"required", std::string_view{where} == "path"}, {"allowMultiple", false}, {"dataType", std::string_view{where} == "body" ? "containers" : "string"}});
    };
    for (auto open = operation.path.find('{'); open != std::string_view::npos; open = operation.path.find('{', open + 1))
        add(operation.path.substr(open + 1, operation.path.find('}', open) - open - 1), "path");
    if (!operation.parameters.empty())
        for (const auto name : split(operation.parameters, ' ')) add(name, name == "variables" ? "body" : "query");
    return {{"httpMethod", operation.method}, {"nickname", operation.name}, {"responseClass", operation.answer}, {"parameters", parameters}};
}

}  // namespace

HttpReply PbxPeer::description(std::string_view file, std::string_view host) {
    Json json{{"apiVersion", "2.0.0"}, {"swaggerVersion", "1.1"}, {"basePath", "http://" + std::string{host}.append("/ari")}};
    json["apis"] = Json::array();
    if (file == "resources.json") {
        for (const auto* api : {"asterisk", "endpoints", "channels", "bridges", "recordings", "playbacks", "events", "applications"})
            json["apis"].push_back({{"path", std::string{"/api-docs/"} + api + ".{format}"}, {"description", api}});
        return json_reply(json);
    }
    if (!file.ends_with(".json")) return message_reply(404, "Resource not found");
    const auto api = file.substr(0, file.size() - 5);
    json["resourcePath"] = "/api-docs/" + std::string{api}.append(".{format}");
    if (api == "events") {
        json["models"] = Json::object();
        for (const auto& event : events) {
            Json properties = Json::object();
            if (!event.members.empty())
                for (const auto member : split(event.members, ' ')) {
                    const auto colon = member.find(':');
                    properties[std::string{member.substr(0, colon)}] = {{"type", member.substr(colon + 1)}, {"required", false}};
                }
            json["models"][std::string{event.type}] = {{"id", event.type}, {"properties", properties}};
        }
    }
    for (const auto& operation : operations) {
        if (operation.api != api) continue;
        auto& apis = json["apis"];
        if (apis.empty() || apis.back()["path"] != operation.path) apis.push_back({{"path", operation.path}, {"description", api}, {"operations", Json::array()}});
        apis.back()["operations"].push_back(operation_json(operation));
    }
    return json_reply(json);
}

}  // namespace touchgate::sandbox
