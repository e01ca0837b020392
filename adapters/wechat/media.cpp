#include "adapters/wechat/media.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using namespace channel;
using namespace std::chrono_literals;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;
constexpr std::size_t bytes_min = 6;  // smaller ones are refused
constexpr std::string_view key_prefix = "media:";
constexpr Duration id_life{72h - 1h};  // the platform counts from its own clock
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> members = {{{"media", "media_id"}, {"pic_media", "pic_media_id"}, {"thumb_media", "thumb_media_id"}}};

struct Named {
    Json* holder;
    std::string_view member, id_member;
    std::string reference, kind, pointer;
};

// `name` is that of the object: it says what kind of media it holds.
void collect(Json& value, const std::string& name, const std::string& pointer, const MediaRules& rules, std::vector<Named>& found, int depth = 0) {
    if (depth > 8) return;
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) collect(value[i], name, pointer_to(pointer, i), rules, found, depth + 1);
        return;
    }
    if (!value.is_object()) return;
    for (const auto& [member, id_member] : members)
        if (const auto named = value.find(member); named != value.end() && named->is_string()) {
            const bool is_cover = member != "media" || !rules.kinds.contains(name);
            found.push_back({&value, member, id_member, named->get<std::string>(), std::string{is_cover ? rules.cover_kind : std::string_view{name}}, pointer_to(pointer, member)});
        }
    for (auto& [key, child] : value.items()) collect(child, key, pointer_to(pointer, key), rules, found, depth + 1);
}

std::string key_of(const Named& named, const MediaRules& rules, const TokenSource& source, const MediaFacts& facts) {
    return std::string{key_prefix} + (rules.attachment ? "attachment" : "message") + ":" + named.kind + ":" + token_need(source).key + ":" + facts.digest;
}

std::string extension_of(std::string_view name) {
    const auto dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string{} : to_lower_ascii(name.substr(dot + 1));
}

}  // namespace

MediaRules corp_media() {
    MediaRules rules;
    rules.kinds["image"] = {2 * mebibyte, {"jpg", "jpeg", "png"}};
    rules.kinds["voice"] = {2 * mebibyte, {"amr"}};
    rules.kinds["video"] = {10 * mebibyte, {"mp4"}};
    rules.kinds["file"] = {20 * mebibyte, {}};
    return rules;
}

MediaRules moments_media() {
    MediaRules rules;
    rules.kinds["image"] = {10 * mebibyte, {"jpg", "jpeg", "png"}};
    rules.kinds["video"] = {10 * mebibyte, {"mp4"}};
    rules.attachment = true;
    return rules;
}

MediaRules official_media() {
    MediaRules rules;
    rules.kinds["image"] = {10 * mebibyte, {"jpg", "jpeg", "png", "gif", "bmp"}};
    rules.kinds["voice"] = {2 * mebibyte, {"amr", "mp3"}};
    rules.kinds["video"] = {10 * mebibyte, {"mp4"}};
    rules.kinds["thumb"] = {mebibyte / 16, {"jpg", "jpeg"}};
    rules.cover_kind = "thumb";
    return rules;
}

void read_media_limits(JsonReader& reader, MediaRules& rules) {
    reader.members("media_limits", [&](const std::string& kind, const Json& bytes, const std::string& pointer) {
        const auto found = rules.kinds.find(kind);
        if (found == rules.kinds.end()) reader.problems().push_back({pointer, "there is no such kind of media here"});
        else if (!bytes.is_number_integer() || bytes < 6 || bytes > 200 * static_cast<std::int64_t>(mebibyte)) reader.problems().push_back({pointer, "must be a number of bytes from 6 to 209715200"});
        else found->second.bytes_max = bytes.get<std::size_t>();
    });
}

bool names_media(const Content& content) { return content.body_json.find("media\"") != std::string::npos; }

std::vector<Problem> media_problems(const Content& content, const MediaRules& rules) {
    std::vector<Problem> problems;
    if (!names_media(content)) return problems;
    auto body = parse_foreign_json(content.body_json);
    std::vector<Named> found;
    collect(body, {}, {}, rules, found);
    for (const auto& named : found) {
        const auto facts = rules.library == nullptr ? std::nullopt : rules.library->find(named.reference);
        if (!facts) {
            problems.push_back({named.pointer, "there is no such file: give the name of a file of the configured media folder, or what an upload was answered (sha256:…)"});
            continue;
        }
        const auto kind = rules.kinds.find(named.kind);
        if (kind == rules.kinds.end()) {
            problems.push_back({named.pointer, "this channel takes no media of the kind " + named.kind});
            continue;
        }
        const auto& wanted = kind->second.extensions;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), extension_of(facts->name)) == wanted.end()) {
            std::string list;
            for (const auto extension : wanted) list.append(list.empty() ? "" : ", ").append(extension);
            problems.push_back({named.pointer, "a media of the kind " + named.kind + " must be one of: " + list});
        }
        if (facts->bytes > kind->second.bytes_max)
            problems.push_back({named.pointer, "has " + std::to_string(facts->bytes) + " bytes; the platform takes at most " + std::to_string(kind->second.bytes_max) + " of the kind " + named.kind});
        if (facts->bytes < bytes_min) problems.push_back({named.pointer, "is empty or nearly so; the platform refuses it"});
    }
    return problems;
}

std::vector<Need> media_needs(const Content& content, const MediaRules& rules, const TokenSource& source) {
    std::vector<Need> needs;
    if (rules.library == nullptr || !names_media(content)) return needs;
    auto body = parse_foreign_json(content.body_json);
    std::vector<Named> found;
    collect(body, {}, {}, rules, found);
    for (const auto& named : found)
        if (const auto facts = rules.library->find(named.reference)) {
            const Need need{.key = key_of(named, rules, source, *facts), .shared = true};
            if (std::find(needs.begin(), needs.end(), need) == needs.end()) needs.push_back(need);
        }
    return needs;
}

Content with_media_ids(const Content& content, const MediaRules& rules, const TokenSource& source, const Resources& resources) {
    if (!names_media(content)) return content;
    auto body = parse_foreign_json(content.body_json);
    std::vector<Named> found;
    collect(body, {}, {}, rules, found);
    if (found.empty()) return content;
    for (const auto& named : found) {
        std::string id = "none";
        if (rules.library != nullptr)
            if (const auto facts = rules.library->find(named.reference))
                if (const auto held = resources.find(key_of(named, rules, source, *facts)); held != resources.end()) id = held->second;
        named.holder->erase(std::string{named.member});
        (*named.holder)[std::string{named.id_member}] = std::move(id);
    }
    auto made = content;
    made.body_json = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return made;
}

bool is_media_key(std::string_view key) { return key.starts_with(key_prefix); }

HttpRequest upload_request(const Need& need, const MediaRules& rules, const TokenSource& source, const Resources& resources, const RequestContext& context) {
    const auto parts = split(need.key, ':');  // media, use, kind, the token's three, digest
    const auto kind = parts.size() > 2 ? parts[2] : std::string_view{};
    const auto digest = parts.empty() ? std::string_view{} : parts.back();
    const auto facts = rules.library == nullptr ? std::nullopt : rules.library->find(std::string{"sha256:"}.append(digest));
    const auto bytes = facts ? rules.library->bytes_of(digest) : std::nullopt;
    std::string name = facts ? facts->name : "media";
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '"' || c == '\r' || c == '\n' || c == '\\' || c == '/'; }, '_');
    const auto boundary = "touchgate-" + context.nonce;
    std::string body = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"media\"; filename=\"" + name + "\"; filelength=" + std::to_string(bytes ? bytes->size() : 0) +
                       "\r\nContent-Type: " + (facts ? facts->type : "application/octet-stream") + "\r\n\r\n";
    if (bytes) body += *bytes;  // one that is gone is refused as an empty one
    body.append("\r\n--").append(boundary).append("--\r\n");
    const bool attachment = parts.size() > 1 && parts[1] == "attachment";
    const auto path = attachment ? std::string{"/cgi-bin/media/upload_attachment?attachment_type=1&media_type="}.append(kind) : std::string{"/cgi-bin/media/upload?type="}.append(kind);
    return {.method = "POST",
            .url = authorized_url(source, path, resources),
            .headers = {{"host", source.base.host}, {"content-type", "multipart/form-data; boundary=" + boundary}, {"accept", "application/json"}},
            .body = std::move(body)};
}

std::variant<Resource, Outcome> read_uploaded(const HttpResponse& response, std::span<const CodeMeaning> meanings) {
    const auto answer = read_answer(response);
    auto id = answer.ok() ? text_member(answer.body, "media_id") : std::string{};
    if (id.empty() && answer.ok()) id = text_member(answer.body, "thumb_media_id");
    if (!id.empty()) return Resource{.value = std::move(id), .valid_for = id_life};
    auto outcome = outcome_of(answer, meanings);
    if (outcome.kind == OutcomeKind::unknown) outcome.kind = OutcomeKind::not_sent;
    return outcome;
}

bool media_is_stale(const Answer& answer) { return answer.readable && answer.errcode == 40007; }

}  // namespace touchgate::adapters::wechat
