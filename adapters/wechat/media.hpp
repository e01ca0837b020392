// Media that content names by "media" instead of a media id: which there are, whether the platform takes them, and the upload that makes an id of one.
// The id is a resource like a token: uploaded once for all who need it, kept until the platform lets it go, uploaded again if it went earlier.
//
//   {"image": {"media": "offer.png"}}            → {"image": {"media_id": "…"}}
//   {"miniprogram": {"pic_media": "cover.jpg"}}  → {"miniprogram": {"pic_media_id": "…"}};  thumb_media likewise
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "adapters/wechat/access_token.hpp"
#include "gateway/channel/media.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::wechat {

struct MediaKind {
    std::size_t bytes_max = 0;
    std::vector<std::string_view> extensions;  // empty: any
};

struct MediaRules {
    std::map<std::string, MediaKind, std::less<>> kinds;  // "image", "voice", "video", "file", "thumb"
    std::string_view cover_kind = "image";                // of pic_media and thumb_media
    bool attachment = false;                              // uploaded for moments, whose ids are another kind
    std::shared_ptr<const channel::MediaLibrary> library = {};
};

[[nodiscard]] MediaRules corp_media();        // messages, mass messages, customer service
[[nodiscard]] MediaRules moments_media();
[[nodiscard]] MediaRules official_media();
// "media_limits": {"image": bytes}
void read_media_limits(JsonReader& reader, MediaRules& rules);

[[nodiscard]] bool names_media(const channel::Content& content);
// Pointers are relative to the content.
[[nodiscard]] std::vector<Problem> media_problems(const channel::Content& content, const MediaRules& rules);
// The token must be a need before them.
[[nodiscard]] std::vector<channel::Need> media_needs(const channel::Content& content, const MediaRules& rules, const TokenSource& source);
// Every "media" becomes its id; one without a resource becomes an id that no platform knows.
[[nodiscard]] channel::Content with_media_ids(const channel::Content& content, const MediaRules& rules, const TokenSource& source, const channel::Resources& resources);

[[nodiscard]] bool is_media_key(std::string_view key);
[[nodiscard]] channel::HttpRequest upload_request(const channel::Need& need, const MediaRules& rules, const TokenSource& source, const channel::Resources& resources,
                                                  const channel::RequestContext& context);
[[nodiscard]] std::variant<channel::Resource, channel::Outcome> read_uploaded(const channel::HttpResponse& response, std::span<const CodeMeaning> meanings);
// 40007: the platform does not know a media id (any more).
[[nodiscard]] bool media_is_stale(const Answer& answer);

}  // namespace touchgate::adapters::wechat
