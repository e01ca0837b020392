// /v1/queues, and /v1/wallboard as a page and as a stream of server-sent events.
#include "gateway/http/agent_hub.hpp"
#include "gateway/http/endpoints/declaration.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_queue() { return {.kind = ErrorKind::not_found, .detail = "there is no queue with this id"}; }

Response queue_answer(const QueueDetails& queue, int status) {
    Response response;
    response.status = status;
    append_queue(response.body, queue);
    return response;
}

void put_queue(const Call& call) {
    auto document = read_declaration(call);
    if (!document) return;
    in_engine(call, [id = call->path[0], document = std::move(*document)](Engine& engine, Exchange& exchange) {
        const auto known = engine.desk().queue(id);
        if (known && !exchange.access.covers(unit_of_document(known->document))) return exchange.problem_of(no_such_queue());
        const auto queue = engine.desk().put_queue(id, document);
        return queue ? queue_answer(*queue, queue->created ? 201 : 200) : exchange.problem_of(queue.error());
    });
}

void get_queue(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto queue = engine.desk().queue(id);
        const bool seen = queue && exchange.access.covers(unit_of_document(queue->document));
        return seen ? queue_answer(*queue, 200) : exchange.problem_of(no_such_queue());
    });
}

void list_queues(const Call& call) {
    std::vector<Problem> problems;
    const auto limit = page_limit(*call, problems);
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    in_engine(call, [limit, after = call->query.text("cursor")](Engine& engine, Exchange& exchange) {
        const auto found = engine.desk().queues(limit, after);
        std::vector<const QueueDetails*> shown;
        for (const auto& queue : found)
            if (exchange.access.covers(unit_of_document(queue.document))) shown.push_back(&queue);
        std::string items;
        append_array(items, shown, [](std::string& out, const QueueDetails* queue) { append_queue(out, *queue); });
        return json_answer(200, list_of(items, found.size() < limit ? std::string{} : found.back().id));
    });
}

// ---- wallboard

class WallboardStream final : public WallboardReader {
public:
    explicit WallboardStream(Call call) : call_{std::move(call)} {}
    bool show(const WallboardText& board) override {
        constexpr std::size_t unsent_bytes_max = 64 * 1024;
        if (call_->sink().unsent_bytes() > unsent_bytes_max) return false;
        call_->sink().stream("id: " + std::to_string(board.seq) + "\nevent: wallboard\ndata: " + board.json + "\n\n");
        return true;
    }
    [[nodiscard]] bool is_open() const override {
        if (!call_->sink().is_open()) return false;
        if (!call_->services().draining) return true;
        call_->sink().end_stream();
        return false;
    }
    void still_here() override { call_->sink().stream(": still here\n\n"); }

private:
    Call call_;
};

void stream_wallboard(const Call& call) {
    call->take_over();
    Response head;
    head.content_type = "text/event-stream";
    head.headers.emplace_back("X-Accel-Buffering", "no");
    call->sink().begin_stream(std::move(head));
    call->sink().stream(": the wallboard\n\n");
    call->services().agents->wallboard().join(call->worker(), std::make_shared<WallboardStream>(call), call->access.units);
}

void get_wallboard(const Call& call) {
    if (call->header("Accept").find("text/event-stream") != std::string_view::npos) return stream_wallboard(call);
    when_shown(call, Source::log, [call] {
        const bool taken = call->services().agents->desk().in_turn([call](AgentDesk& desk) {
            auto response = json_answer(200, render_wallboard(wallboard_for(desk, call->access)));
            desk.after_sync([call, response = std::move(response)]() mutable { call->answer(std::move(response)); });
        });
        if (!taken) call->fail(queue_full());
    });
}

}  // namespace

void add_queue_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/queues", .scope = "agents", .handler = list_queues});
    router.add({.method = Method::put, .pattern = "/v1/queues/{id}", .scope = "agents", .handler = put_queue, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/queues/{id}", .scope = "agents", .handler = get_queue});
    router.add({.method = Method::get, .pattern = "/v1/wallboard", .scope = "agents", .handler = get_wallboard, .other_scope = "reports"});
}

}  // namespace touchgate::http
