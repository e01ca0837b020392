// The agent's console: static pages from one folder, under /console/. They need no API key; what they show needs an agent's token.
//
// The folder is read into memory at the first request and again when its index.html has changed, so that a path from outside never reaches the
// disk: it names a file that is known, or nothing. Assets have a hash in their name and are kept by browsers for ever; the rest is asked for anew.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "gateway/http/message.hpp"
#include "gateway/http/problem.hpp"

namespace touchgate::http {

// What the pages may do. Sounds and scripts are their own; the telephone system's WebSocket stands elsewhere.
inline constexpr std::string_view console_security_policy =
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; font-src 'self'; "
    "connect-src 'self' wss: ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

class ConsoleFiles {
public:
    explicit ConsoleFiles(std::string folder) : folder_{std::move(folder)} {}

    // `path`: what follows "/console/", decoded; "" is index.html. `if_none_match`: the header of that name. Any thread.
    // 200, 304, 404; a page that says so when the folder has no index.html.
    [[nodiscard]] Response answer(std::string_view path, std::string_view if_none_match, Language language);

private:
    struct File {
        std::string bytes, etag;
        std::string_view content_type;
    };
    struct Content {
        std::filesystem::file_time_type index_time{};
        std::map<std::string, File, std::less<>> files;  // by path below the folder
    };
    [[nodiscard]] std::shared_ptr<const Content> content();

    const std::string folder_;
    std::mutex mutex_;
    std::shared_ptr<const Content> content_;  // guarded by mutex_; null: nothing was built
};

}  // namespace touchgate::http
