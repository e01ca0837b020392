// A client of the simulated WeChat platforms in memory, with the control API beside it and the callbacks taken by hand.
#pragma once

#include <string>
#include <vector>

#include "adapters/sandbox/playground.hpp"
#include "adapters/sandbox/wechat/json_fields.hpp"
#include "tests/catch.hpp"

namespace touchgate::sandbox::test {

using namespace std::chrono_literals;

inline constexpr const char* callback_key = "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE";

class WechatClient {
public:
    explicit WechatClient(const std::string& settings) : playground_{read(settings)} {}

    void pass(std::chrono::milliseconds time) {
        now.monotonic += time;
        now.wall += time;
    }
    HttpReply request(HttpPeer& peer, const std::string& method, const std::string& target, const std::string& body = {}, const std::string& content_type = "application/json") {
        return peer.handle({.method = method, .target = target, .headers = {{"content-type", content_type}}, .body = body}, now);
    }
    Json wecom(const std::string& method, const std::string& path, const Json& body = nullptr) { return call(*playground_.wecom(), wecom_token, method, "/cgi-bin/" + path, body); }
    Json official(const std::string& method, const std::string& path, const Json& body = nullptr) {
        return call(*playground_.official_account(), official_token, method, "/cgi-bin/" + path, body);
    }
    // The answer of the control API below /sandbox/; null for 204. `status` is what is expected.
    Json control(const std::string& method, const std::string& path, const Json& body = nullptr, int status = 0) {
        const auto reply = playground_.control({.method = method, .target = "/sandbox/" + path, .headers = {}, .body = body.is_null() ? "" : body.dump()}, now);
        INFO(path << " " << reply.body);
        if (status == 0) CHECK((reply.status == 200 || reply.status == 204));
        else CHECK(reply.status == status);
        return reply.body.empty() ? Json{} : parse_json(reply.body).value();
    }
    void behave(const Json& behaviour) { control("PUT", "behaviour", behaviour); }
    Json messages(const std::string& query = "") { return control("GET", "messages" + query).at("items"); }

    // Lets what is due happen; gives the callbacks that leave, and answers each with `status`.
    std::vector<OutgoingRequest> callbacks(HttpPeer& peer, int status = 200, const std::string& body = "") {
        auto requests = peer.take_requests(now);
        for (const auto& one : requests) peer.on_callback_answer(one.id, status, body, now);
        return requests;
    }
    [[nodiscard]] Playground& playground() { return playground_; }

    Now now{.monotonic = 1s, .wall = parse_instant("2026-11-23T02:00:00Z").value()};
    std::string wecom_token, official_token;

private:
    static Settings read(const std::string& json) {
        std::vector<Problem> problems;
        auto settings = read_settings(parse_json(json).value(), "/sandbox", problems);
        for (const auto& problem : problems) FAIL(problem.pointer << ": " << problem.detail);
        return settings;
    }
    Json call(HttpPeer& peer, const std::string& token, const std::string& method, std::string target, const Json& body) {
        if (!token.empty()) target.append(target.find('?') == std::string::npos ? "?" : "&").append("access_token=").append(token);
        return parse_json(request(peer, method, target, body.is_null() ? "" : body.dump()).body).value();
    }

    Playground playground_;
};

[[nodiscard]] inline std::int64_t errcode(const Json& answer) { return integer_of(answer, "errcode", 0); }

// The message inside a secure callback to WeCom's or an account's receiver.
[[nodiscard]] inline std::string opened(const OutgoingRequest& request, const std::string& receive_id) {
    const auto cipher = CallbackCipher::make(callback_key, receive_id).value();
    return cipher.decrypt(element_text(request.body, "Encrypt").value()).value();
}

}  // namespace touchgate::sandbox::test
