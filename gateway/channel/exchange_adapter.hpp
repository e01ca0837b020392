// The shape of an HTTP provider's adapter: requests and responses as values. No socket, no thread, no clock; time and nonce are arguments.
//
//   prepare(submissions) → needs        resources (an access token, an uploaded media id): fetched once, cached, shared
//   submit(submissions, resources) → request      only this needs permits
//   classify(submissions, response) → one outcome per submission, total: an unknown code has a safe default
//   reconcile / poll / cancel → request and its reading, for what stayed open
//   receive(webhook) → verified events and the acknowledgement, or a typed refusal
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/channel/capabilities.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"

namespace touchgate::channel {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "POST";
    std::string url;  // absolute, from the account's base_url
    Headers headers;
    std::string body;
};

struct HttpResponse {
    int status = 0;
    Headers headers;  // names in lower case
    std::string body;
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const {
        for (const auto& [name, value] : headers)
            if (name == lower_case_name) return value;
        return {};
    }
};

// What a request may need of the outside: the wall clock and fresh randomness for nonces (hex, 32 characters).
struct RequestContext {
    Instant now;
    std::string nonce;
};

// A resource that submits share: keyed, cached until it expires, fetched by one request at a time.
struct Need {
    std::string key;  // "token:corp:secret", "media:<sha256>"
    bool operator==(const Need&) const = default;
};
struct Resource {
    std::string value;
    Duration valid_for{};  // from its arrival; refreshed early
};
using Resources = std::map<std::string, std::string>;  // need key → value

// What a question about an unknown attempt found.
struct ReconcileAnswer {
    enum class Verdict { settled, not_found, ask_again } verdict = Verdict::ask_again;
    Outcome outcome = {};                 // settled: usually accepted
    std::optional<Receipt> receipt = {};  // settled, and its end is known too
};

struct WebhookRequest {
    std::string method;
    std::string path_tail;  // after /hooks/{account}, "" or "/token"
    std::string query;      // raw, without '?'
    Headers headers;        // names in lower case
    std::string body;
    Instant now;
};
struct WebhookEvents {
    std::vector<Receipt> receipts;
    std::vector<InboundMessage> messages;
};
struct WebhookAnswer {
    int status = 200;
    std::string content_type = "text/plain";
    std::string body = {};
    WebhookEvents events = {};      // take effect before the answer is sent
    std::string refusal = {};       // why it was refused, for the metric ("SIGNATURE_MISMATCH"); never told to the caller
};

class ExchangeAdapter {
public:
    virtual ~ExchangeAdapter() = default;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    [[nodiscard]] virtual int segments(std::string_view text) const = 0;
    [[nodiscard]] virtual int window() const = 0;          // requests in flight
    [[nodiscard]] virtual Duration timeout() const = 0;    // of one request

    [[nodiscard]] virtual std::vector<Need> prepare(std::span<const Submission>) const { return {}; }
    [[nodiscard]] virtual HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const { return {}; }
    // The resource, or the outcome that every waiting attempt gets (always a kind that means "not sent").
    [[nodiscard]] virtual std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse&) const { return Outcome{}; }

    // May two submissions share one request? Only asked when batch_max > 1.
    [[nodiscard]] virtual bool same_batch(const Submission&, const Submission&) const { return false; }
    [[nodiscard]] virtual HttpRequest submit(std::span<const Submission>, const Resources&, const RequestContext&) const = 0;
    [[nodiscard]] virtual std::vector<Outcome> classify(std::span<const Submission>, const HttpResponse&) const = 0;
    // True if this answer means that the resources used are stale and one refresh may help (a token error).
    [[nodiscard]] virtual bool resources_stale(const HttpResponse&) const { return false; }

    // The n-th question (from 1) about an attempt whose outcome is unknown; nothing where the provider cannot be asked.
    [[nodiscard]] virtual std::optional<HttpRequest> reconcile(const Submission&, Instant /*permitted_at*/, const RequestContext&) const { return std::nullopt; }
    [[nodiscard]] virtual ReconcileAnswer read_reconcile(const Submission&, const HttpResponse&) const { return {}; }

    // Human-executed tasks: how far is it, and stop it.
    [[nodiscard]] virtual std::optional<HttpRequest> poll(const std::string& /*task*/, const Resources&, const RequestContext&) const { return std::nullopt; }
    struct TaskState { std::string recipient; std::string status; };  // "waiting", "sent", "cancelled" …
    [[nodiscard]] virtual std::vector<TaskState> read_poll(const HttpResponse&) const { return {}; }
    [[nodiscard]] virtual std::optional<HttpRequest> cancel(const std::string& /*task*/, const Resources&, const RequestContext&) const { return std::nullopt; }

    [[nodiscard]] virtual WebhookAnswer receive(const WebhookRequest&) const { return {.status = 404}; }
    // A harmless request that shows whether the credentials work, for `check --probe`.
    [[nodiscard]] virtual std::optional<HttpRequest> probe(const RequestContext&) const { return std::nullopt; }
};

}  // namespace touchgate::channel
