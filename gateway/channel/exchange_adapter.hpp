// The shape of an HTTP provider's adapter: requests and responses as values. No socket, no thread, no clock; time and nonce are arguments.
//
//   prepare(submissions) → needs        resources (an access token, an uploaded media id): fetched once, cached, shared
//   submit(submissions, resources) → request      only this needs permits
//   classify(submissions, response) → one outcome per submission, total: an unknown code has a safe default
//   reconcile → request and its reading, for an attempt whose outcome is unknown
//   poll / remind / cancel a task → request and its reading, for what an employee must send
//   pull → request and its reading, page by page, for what the provider tells only when asked; the cursor is kept in the log
//   operation → request and its reading, for what an operator asks of the account beside sending (operation.hpp)
//   receive(webhook) → verified events and the acknowledgement, or a typed refusal
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/error.hpp"
#include "gateway/channel/capabilities.hpp"
#include "gateway/channel/operation.hpp"
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
    std::string key;      // "token:corp:secret", "media:<sha256>"
    bool shared = false;  // by all accounts that need the same key: the key then names the credentials too
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
    std::vector<Receipt> receipts = {};
    std::vector<InboundMessage> messages = {};
    std::vector<ProviderEvent> events = {};
    std::vector<PullHint> pulls = {};
    // All of it is meant for the account that names this topic and this account as its parent; without such an account, and if empty, for this one.
    std::string topic = {};
    [[nodiscard]] bool is_empty() const { return receipts.empty() && messages.empty() && events.empty() && pulls.empty(); }
};
struct WebhookAnswer {
    int status = 200;
    std::string content_type = "text/plain";
    std::string body = {};
    WebhookEvents events = {};      // take effect before the answer is sent
    std::string refusal = {};       // why it was refused, for the metric ("SIGNATURE_MISMATCH"); never told to the caller
};

// A task that waits for an employee.
struct Task {
    std::string id;                    // Outcome::task
    std::string employee;              // Outcome::employee
};
enum class TaskAct : std::uint8_t { poll = 1, remind, cancel };
struct TaskResult {
    enum class Status : std::uint8_t { waiting = 1, sent, not_friend, over_limit };
    std::string recipient;             // as in Submission::to
    Status status = Status::waiting;
    std::optional<Instant> sent_at = {};
};
struct TaskAnswer {
    enum class Verdict : std::uint8_t {
        done,       // the act is done; a poll's results are complete for the recipients that it names
        more,       // ask again at once, with next_step
        ask_again,  // the provider is not ready, too busy or unreachable
        gone,       // the task is cancelled or unknown at the provider: nothing more will be sent by it
    };
    Verdict verdict = Verdict::ask_again;
    std::string next_step = {};
    std::vector<TaskResult> results = {};
    std::string code = {};             // the provider's own, if it refused
    std::optional<Duration> retry_after = {};
};

// A list that the provider tells page by page.
struct Pull {
    std::string name;                  // "messages", "customers", "groups"
    Duration every{std::chrono::minutes{5}};
    bool hinted_only = false;          // never by itself: only for a PullHint …
    bool each_hint = false;            // … each of which names another thing, so that none takes another's place; else the newest counts
};
struct PulledPage {
    WebhookEvents events = {};
    std::string cursor = {};           // for the next request; kept in the log
    bool more = false;                 // ask for the next page at once
    std::optional<double> share = {};  // of the whole list that is read now, 0 to 1, where that can be told
    bool failed = false;               // nothing was learned: cursor and events are ignored, and it is asked again after a pause
    std::optional<Duration> retry_after = {};
    std::string code = {};             // failed: the provider's own
    std::string detail = {};           // for people
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
    // True if this answer means that resources used are stale and one refresh may help (a token error) …
    [[nodiscard]] virtual bool resources_stale(const HttpResponse&) const { return false; }
    // … and whether the one with this key is among them; only asked then.
    [[nodiscard]] virtual bool resource_stale(const std::string& /*key*/, const HttpResponse&) const { return true; }

    // The n-th question (from 1) about an attempt whose outcome is unknown; nothing where the provider cannot be asked.
    [[nodiscard]] virtual std::optional<HttpRequest> reconcile(const Submission&, Instant /*permitted_at*/, const RequestContext&) const { return std::nullopt; }
    [[nodiscard]] virtual ReconcileAnswer read_reconcile(const Submission&, const HttpResponse&) const { return {}; }

    // Human-executed tasks (Capabilities::human_executed): how far is it, remind the employee, stop it. `step` is empty at first, then what the last
    // answer's `next_step` said: some questions take several requests. Resources are those of task_needs().
    [[nodiscard]] virtual std::vector<Need> task_needs() const { return {}; }
    [[nodiscard]] virtual HttpRequest ask_task(TaskAct, const Task&, const std::string& /*step*/, const Resources&, const RequestContext&) const { return {}; }
    [[nodiscard]] virtual TaskAnswer read_task(TaskAct, const Task&, const std::string& /*step*/, const HttpResponse&) const { return {}; }

    // What must be pulled. The names are the account's own; each has one cursor, empty at first, which is kept in the log in the same batch as what a
    // page brought. A pull is made at start, every `every`, and on a PullHint; pages follow one another while there are more.
    [[nodiscard]] virtual std::vector<Pull> pulls() const { return {}; }
    [[nodiscard]] virtual std::vector<Need> pull_needs(const std::string& /*name*/) const { return {}; }
    [[nodiscard]] virtual HttpRequest pull(const std::string& /*name*/, const std::string& /*cursor*/, const std::string& /*hint*/, const Resources&, const RequestContext&) const { return {}; }
    [[nodiscard]] virtual PulledPage read_pull(const std::string& /*name*/, const std::string& /*cursor*/, const HttpResponse&) const { return {}; }

    // What the account can be asked to do beside sending. `body_json` is an object that fits the declared fields. Resources are those of
    // operation_needs().
    [[nodiscard]] virtual std::vector<Operation> operations() const { return {}; }
    [[nodiscard]] virtual std::vector<Need> operation_needs() const { return task_needs(); }
    [[nodiscard]] virtual HttpRequest operation(std::string_view /*name*/, const std::string& /*body_json*/, const Resources&, const RequestContext&) const { return {}; }
    [[nodiscard]] virtual OperationAnswer read_operation(std::string_view /*name*/, const std::string& /*body_json*/, const HttpResponse&) const { return {}; }

    // The provider recognises a second submit of the same touch by an id of ours: an attempt whose outcome is unknown may be made again.
    [[nodiscard]] virtual bool repeat_is_safe(const Content&) const { return false; }
    // Does this content need an open reply window? Only asked where Capabilities::reply_windows is not empty.
    [[nodiscard]] virtual bool needs_reply_window(const Content&) const { return true; }
    // The limit that this content draws on beside the account's own, "api:…": as Outcome::scope names it when it is used up. Empty: none.
    [[nodiscard]] virtual std::string quota_scope(const Content&) const { return {}; }
    // The body of the answer to a callback that carries this content as the reply to that message; nothing where the platform or the content has no
    // such form.
    [[nodiscard]] virtual std::optional<std::string> passive_reply(const InboundMessage&, const Content&, const RequestContext&) const { return std::nullopt; }
    // What is wrong with this content before anything is decided: a field that the template does not have, a text that is too long …; pointers are
    // relative to the content. Empty: nothing.
    [[nodiscard]] virtual std::vector<Problem> content_problems(const Content&) const { return {}; }

    [[nodiscard]] virtual WebhookAnswer receive(const WebhookRequest&) const { return {.status = 404}; }
    // A harmless request that shows whether the credentials work, for `check --probe`.
    [[nodiscard]] virtual std::optional<HttpRequest> probe(const RequestContext&) const { return std::nullopt; }
};

}  // namespace touchgate::channel
