// The files that content names by "media": those of the configured folder, by name, and uploaded ones, by digest, which lie in the data folder.
// Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "gateway/base/result.hpp"
#include "gateway/channel/media.hpp"

namespace touchgate::app {

class MediaFolder final : public channel::MediaLibrary {
public:
    // Neither folder need exist. `uploads` is made with the first upload.
    MediaFolder(std::string folder, std::string uploads);

    [[nodiscard]] std::optional<channel::MediaFacts> find(std::string_view reference) const override;
    [[nodiscard]] std::optional<std::string> bytes_of(std::string_view digest) const override;

    // Keeps an upload, once however often it comes. Error unavailable: it cannot be written.
    Result<channel::MediaFacts> keep(std::string_view name, std::string_view type, std::string_view bytes);

private:
    struct Known {
        std::string path;
        std::int64_t changed = 0;  // of the file, when its digest was taken
        channel::MediaFacts facts;
    };
    void list_uploads() const;

    std::string folder_, uploads_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, Known, std::less<>> by_name_;
    mutable std::map<std::string, Known, std::less<>> by_digest_;
    mutable bool uploads_listed_ = false;
};

}  // namespace touchgate::app
