#include "gateway/http/touch_queue.hpp"

#include <algorithm>

#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

std::optional<Error> check_unit_of_contact(Engine& engine, const Access& access, const ContactRef& contact) {
    if (!access.limited() || contact.id.empty()) return std::nullopt;
    const auto found = engine.find_contact(contact.id);
    if (!found || found->unit.empty() || access.covers(found->unit)) return std::nullopt;
    return invalid("/contact/id", "there is no contact with this id");
}

std::optional<Error> apply_caller(const Caller& caller, const Access& access, TouchRequest& request) {
    request.key_name = caller.name();
    if (!access.limited()) return std::nullopt;
    if (request.unit.empty()) request.unit = access.units.front();
    if (access.covers(request.unit)) return std::nullopt;
    return Error{
        .kind = ErrorKind::forbidden, .detail = "this API key is limited to other units", .problems = {{"/unit", "is not a unit of this API key"}}};
}

void complete_problems(Engine& engine, ParsedTouch& touch) {
    if (!touch.error || touch.error->kind != ErrorKind::invalid_input) return;
    const auto decision = engine.decide_only(touch.request, std::nullopt);
    if (decision || decision.error().kind != ErrorKind::invalid_input) return;
    auto problems = std::move(touch.error->problems);
    add_problems_elsewhere(problems, decision.error().problems);
    touch.error = fields_error(std::move(problems));
}

struct TouchQueue::Batch {
    struct Item {
        Call call;
        ParsedTouch touch;
        std::optional<Result<TouchView>> result = {};
        std::uint64_t sequence = 0;
    };
    std::vector<Item> items;

    static void run(Engine& engine, Item& item) {
        if (item.touch.error) complete_problems(engine, item.touch);
        else if (auto foreign = check_unit_of_contact(engine, item.call->access, item.touch.request.contact)) item.touch.error = std::move(*foreign);
        if (item.touch.error) item.result.emplace(std::move(*item.touch.error));
        else item.result.emplace(engine.submit_touch(std::move(item.touch.request)));
        item.sequence = engine.sequence();
    }

    static void answer(Item& item) {
        if (!*item.result) {
            item.call->fail(item.result->error(), "touch_id");
            return;
        }
        const auto& touch = item.result->value();
        Response response;
        response.status = touch.duplicate ? 200 : 202;
        response.sequence = item.sequence;
        append_touch(response.body, touch);
        item.call->answer(std::move(response));
    }
};

TouchQueue::TouchQueue(Services& services, Worker& worker, std::function<void(absl::AnyInvocable<void()>)> schedule)
    : services_{services}, worker_{worker}, schedule_{std::move(schedule)} {}

TouchQueue::~TouchQueue() = default;

void TouchQueue::add(const Call& call, ParsedTouch touch) {
    if (!open_) {
        open_ = std::make_unique<Batch>();
        schedule_([this] { flush(); });
    }
    open_->items.push_back({.call = call, .touch = std::move(touch)});
    constexpr std::size_t batch_max = 64;
    if (open_->items.size() == std::min(batch_max, services_.options.intake_queue)) {
        post(std::move(open_));
        // The flush that is scheduled finds what comes after, or nothing.
        open_ = std::make_unique<Batch>();
    }
}

void TouchQueue::flush() {
    auto batch = std::move(open_);
    if (batch && !batch->items.empty()) post(std::move(batch));
}

void TouchQueue::post(std::unique_ptr<Batch> batch) {
    auto shared = std::make_shared<std::unique_ptr<Batch>>(std::move(batch));
    const auto size = (*shared)->items.size();
    auto& worker = worker_;
    const bool taken = services_.engine.post(
        [shared, &worker](Engine& engine) {
            auto own = std::move(*shared);
            for (auto& item : own->items) Batch::run(engine, item);
            engine.after_sync([own = std::move(own), &worker]() mutable {
                worker.run([own = std::move(own)] {
                    for (auto& item : own->items) Batch::answer(item);
                });
            });
        },
        size);
    if (taken) return;
    auto refused = std::move(*shared);
    if (size > 1) {
        // There may be room for some of them.
        for (auto& item : refused->items) {
            auto single = std::make_unique<Batch>();
            single->items.push_back(std::move(item));
            post(std::move(single));
        }
        return;
    }
    for (auto& item : refused->items) item.call->fail(services_.draining ? draining_error() : queue_full());
}

}  // namespace touchgate::http
