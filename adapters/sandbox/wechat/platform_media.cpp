// Uploaded media: taken, remembered for three days, and known again when a message names them.
#include <algorithm>

#include "adapters/sandbox/wechat/platform_peer.hpp"

namespace touchgate::sandbox {

namespace {

constexpr auto media_life = std::chrono::hours{72};
constexpr std::size_t media_max = 10'000;
constexpr std::size_t bytes_min = 6;  // smaller files are refused

struct FilePart {
    std::string content_type, bytes;
};

// The first part of a multipart body that has a file name.
std::optional<FilePart> file_of(const HttpRequest& request) {
    const auto content_type = request.header("content-type");
    const auto at = content_type.find("boundary=");
    if (!content_type.starts_with("multipart/form-data") || at == std::string_view::npos) return std::nullopt;
    auto boundary = content_type.substr(at + 9);
    boundary = boundary.substr(0, boundary.find(';'));
    if (boundary.size() > 1 && boundary.front() == '"') boundary = boundary.substr(1, boundary.size() - 2);
    std::string mark{"--"};
    mark.append(boundary);
    std::string_view rest{request.body};
    for (auto start = rest.find(mark); start != std::string_view::npos; start = rest.find(mark)) {
        rest.remove_prefix(start + mark.size());
        const auto head_end = rest.find("\r\n\r\n");
        const auto end = rest.find("\r\n" + mark);
        if (head_end == std::string_view::npos || end == std::string_view::npos || head_end + 4 > end) return std::nullopt;
        const auto head = rest.substr(0, head_end);
        if (head.find("filename=") == std::string_view::npos) continue;
        FilePart part{.content_type = "application/octet-stream", .bytes = std::string{rest.substr(head_end + 4, end - head_end - 4)}};
        for (const std::string_view name : {"Content-Type: ", "content-type: ", "Content-type: "}) {
            const auto type = head.find(name);
            if (type == std::string_view::npos) continue;
            const auto value = head.substr(type + name.size());
            part.content_type = std::string{value.substr(0, value.find('\r'))};
        }
        return part;
    }
    return std::nullopt;
}

}  // namespace

Json PlatformPeer::upload(const Call& call) {
    const bool attachment = call.request.path().ends_with("attachment");
    const auto type = value_of(call.parameters, attachment ? "media_type" : "type");
    const std::string_view known[] = {"image", "voice", "video", "file", "thumb"};
    if (std::find(std::begin(known), std::end(known), type) == std::end(known)) return fault(40004);
    auto file = file_of(call.request);
    if (!file) return fault(41005);
    if (file->bytes.size() < bytes_min) return fault(40006);
    if (media_.size() >= media_max) std::erase_if(media_, [&](const auto& entry) { return entry.second.at + media_life < call.now.wall; });
    if (media_.size() >= media_max) return fault(45009);
    const auto id = new_id("", 64);
    media_.emplace(
        id,
        Media{.type = std::string{type}, .content_type = std::move(file->content_type), .bytes = {}, .at = call.now.wall, .attachment = attachment});
    const auto created = unix_ms(call.now.wall) / 1'000;
    Json answer{{"type", type}, {"media_id", id}};
    if (via_ == Via::wecom && !attachment) answer["created_at"] = std::to_string(created);
    else answer["created_at"] = created;
    return answer;
}

Json PlatformPeer::upload_image(const Call& call) {
    const auto file = file_of(call.request);
    if (!file) return fault(41005);
    return {{"url", "http://sandbox.invalid/" + new_id("", 32)}};
}

Json PlatformPeer::callback_addresses(const Call&) { return {{"ip_list", {"127.0.0.1"}}}; }

bool PlatformPeer::media_known(std::string_view media_id, Now now) const {
    const auto found = media_.find(media_id);
    return found != media_.end() && found->second.at + media_life > now.wall;
}

bool PlatformPeer::media_is_attachment(std::string_view media_id) const {
    const auto found = media_.find(media_id);
    return found != media_.end() && found->second.attachment;
}

}  // namespace touchgate::sandbox
