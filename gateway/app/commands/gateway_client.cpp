#include "gateway/app/commands/gateway_client.hpp"

#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "gateway/app/config.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::app {

namespace {

std::size_t collect(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

struct Upload {
    std::FILE* file = nullptr;
    std::uint64_t sent = 0;
    const std::function<void(std::uint64_t)>* progress = nullptr;
};

std::size_t send_some(char* to, std::size_t size, std::size_t count, void* from) {
    auto& upload = *static_cast<Upload*>(from);
    const auto bytes = std::fread(to, 1, size * count, upload.file);
    upload.sent += bytes;
    if (*upload.progress) (*upload.progress)(upload.sent);
    return std::ferror(upload.file) != 0 ? CURL_READFUNC_ABORT : bytes;
}

}  // namespace

GatewayAnswer ask_gateway(const GatewayRequest& request) {
    GatewayAnswer answer;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), curl_easy_cleanup};
    curl_slist* list = nullptr;
    list = curl_slist_append(list, (std::string{"Content-Type: "} + request.content_type).c_str());
    if (!request.key.empty()) list = curl_slist_append(list, ("Authorization: Bearer " + request.key).c_str());
    list = curl_slist_append(list, "Expect:");
    Upload upload{.file = nullptr, .sent = 0, .progress = &request.progress};
    if (!request.body_file.empty()) {
        upload.file = std::fopen(request.body_file.c_str(), "rb");
        if (upload.file == nullptr) {
            curl_slist_free_all(list);
            answer.fault = request.body_file + " cannot be read";
            return answer;
        }
        list = curl_slist_append(list, "Transfer-Encoding: chunked");
        curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
        curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, send_some);
        curl_easy_setopt(curl.get(), CURLOPT_READDATA, &upload);
    } else if (std::string_view{request.method} != "GET") {
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
    }
    curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, request.method);
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, request.timeout_s);
    const auto result = curl_easy_perform(curl.get());
    if (result == CURLE_OK) curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    else answer.fault = curl_easy_strerror(result);
    if (upload.file != nullptr) std::fclose(upload.file);
    curl_slist_free_all(list);
    return answer;
}

std::optional<std::string> read_api_key(const std::string& key_file) {
    if (key_file.empty()) {
        const char* key = std::getenv("TOUCHGATE_KEY");
        return key == nullptr ? std::string{} : std::string{key};
    }
    const auto key = read_file(key_file);
    if (!key) return std::nullopt;
    return std::string{trim(*key)};
}

}  // namespace touchgate::app
