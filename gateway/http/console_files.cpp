#include "gateway/http/console_files.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::http {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 1'000;
constexpr std::uintmax_t file_bytes_max = std::uintmax_t{16} << 20U;

std::string_view type_of(const fs::path& file) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> types{{{".html", "text/html; charset=utf-8"},
                                                                                          {".js", "text/javascript; charset=utf-8"},
                                                                                          {".css", "text/css; charset=utf-8"},
                                                                                          {".json", "application/json"},
                                                                                          {".svg", "image/svg+xml"},
                                                                                          {".png", "image/png"},
                                                                                          {".ico", "image/x-icon"},
                                                                                          {".woff2", "font/woff2"},
                                                                                          {".mp3", "audio/mpeg"},
                                                                                          {".wav", "audio/wav"},
                                                                                          {".txt", "text/plain; charset=utf-8"},
                                                                                          {".webmanifest", "application/manifest+json"}}};
    const auto extension = file.extension().string();
    for (const auto& [known, type] : types)
        if (known == extension) return type;
    return "application/octet-stream";
}

std::string_view not_built(Language language) {
    if (language == Language::chinese)
        return "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Touchgate</title><h1>坐席工作台尚未构建</h1>"
               "<p>网关正在运行，API 可用。在源码目录安装 node 与 npm 后运行 <code>gateway/console/build.sh</code>，再刷新本页；无需重启网关。</p></html>";
    return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Touchgate</title><h1>The agent's console was not built</h1>"
           "<p>The gateway runs and its API works. With node and npm installed, run <code>gateway/console/build.sh</code> in the source folder "
           "and load this page again; the gateway need not be started anew.</p></html>";
}

std::string_view not_there(Language language) {
    if (language == Language::chinese) return "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>404</title><p>没有此页面。</p></html>";
    return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>404</title><p>There is no such page.</p></html>";
}

void add_security_headers(Response& response) {
    response.headers.emplace_back("Content-Security-Policy", console_security_policy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("X-Frame-Options", "DENY");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Permissions-Policy", "microphone=(self), camera=(), geolocation=()");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
}

Response page(int status, std::string_view text) {
    Response response;
    response.status = status;
    response.content_type = "text/html; charset=utf-8";
    response.body = std::string{text};
    response.headers.emplace_back("Cache-Control", "no-store");
    add_security_headers(response);
    return response;
}

// Whether the list of tags of an If-None-Match names this one; weak comparison, as RFC 9110 section 13.1.2 asks for.
bool names(std::string_view list, std::string_view etag) {
    for (auto each : split(list, ',')) {
        each = trim(each);
        if (each.starts_with("W/")) each.remove_prefix(2);
        if (each == etag || each == "*") return true;
    }
    return false;
}

}  // namespace

std::shared_ptr<const ConsoleFiles::Content> ConsoleFiles::content() {
    const std::lock_guard lock{mutex_};
    if (folder_.empty()) return nullptr;
    std::error_code error;
    const auto index_time = fs::last_write_time(fs::path{folder_} / "index.html", error);
    // While a new one takes the old one's place there is none for a moment: what is known goes on.
    if (error || (content_ && content_->index_time == index_time)) return content_;
    auto read = std::make_shared<Content>();
    read->index_time = index_time;
    for (fs::recursive_directory_iterator at{folder_, error}, end; !error && at != end && read->files.size() < files_max; at.increment(error)) {
        std::error_code unreadable;
        // Links could lead out of the folder.
        if (at->is_symlink(unreadable) || !at->is_regular_file(unreadable) || at->file_size(unreadable) > file_bytes_max || unreadable) continue;
        std::ifstream stream{at->path(), std::ios::binary};
        File file{.bytes = {}, .etag = {}, .content_type = type_of(at->path())};
        file.bytes.assign(std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{});
        if (!stream) continue;
        const auto digest = crypto::sha256(file.bytes);
        file.etag = "\"" + to_hex(crypto::view(digest)).substr(0, 32) + "\"";
        read->files.emplace(at->path().lexically_relative(folder_).generic_string(), std::move(file));
    }
    if (!read->files.contains("index.html")) return content_;
    content_ = std::move(read);
    return content_;
}

Response ConsoleFiles::answer(std::string_view path, std::string_view if_none_match, Language language) {
    const auto known = content();
    if (!known) return page(404, not_built(language));
    const auto found = known->files.find(path.empty() ? std::string_view{"index.html"} : path);
    if (found == known->files.end()) return page(404, not_there(language));
    const auto& file = found->second;
    Response response;
    response.headers.emplace_back("ETag", file.etag);
    response.headers.emplace_back("Cache-Control", found->first.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    add_security_headers(response);
    if (names(if_none_match, file.etag)) {
        response.status = 304;
        response.content_type = {};
        return response;
    }
    response.content_type = file.content_type;
    response.body = file.bytes;
    return response;
}

}  // namespace touchgate::http
