// What a session protocol owes its provider: answers to deliveries that wait until what they carried is durable, and to the parts of long
// messages, which are no message yet.
//
// The answers to parts are held until the whole is durable, but for at most a second: a provider may allow only one unanswered delivery and
// would otherwise never send the next part. `Request` is whatever the protocol needs to write an answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/content/long_message.hpp"

namespace touchgate::content {

template <class Request> class PartInbox {
public:
    using Monotonic = PartAssembly::Monotonic;
    using Token = std::uint64_t;  // never 0
    static constexpr std::chrono::seconds hold_part_for{1};

    // A delivery that is a whole of its own waits for acknowledge().
    Token wait_for(Request request) { return remember({.requests = {std::move(request)}, .rest = {}}); }

    struct Added {
        std::optional<PartAssembly::Whole> whole = {};  // complete now, and waits for acknowledge(token)
        Token token = 0;
        std::vector<PartAssembly::Whole> given_up = {};
        std::optional<Request> answer = {};  // a repeated part that was answered long ago
    };
    Added add_part(Monotonic now, PartAssembly& assembly, const PartAssembly::Key& key, PartAssembly::Part part, Request request) {
        auto result = assembly.add(now, key, std::move(part));
        Added added{.whole = {}, .token = 0, .given_up = std::move(result.given_up), .answer = {}};
        if (result.added == PartAssembly::Added::duplicate) {
            added.answer = answer_repeated(now, key, std::move(request));
            return added;
        }
        held_.push_back({.request = std::move(request), .key = key, .release_at = now + hold_part_for});
        if (result.added != PartAssembly::Added::complete) return added;
        Pending pending{.requests = {}, .rest = *result.whole};
        std::erase_if(held_, [&](HeldPart& part_of_it) {
            if (!same(part_of_it.key, key)) return false;
            pending.requests.push_back(std::move(part_of_it.request));
            pending.rest->parts.erase(part_of_it.key.place.index);
            return true;
        });
        added.whole = std::move(result.whole);
        added.token = remember(std::move(pending));
        return added;
    }

    // The requests that the token stands for, to be answered now; none for a token of an earlier connection. When it was not durable, parts
    // that were answered before wait again.
    std::vector<Request> acknowledge(Monotonic now, PartAssembly& assembly, Token token, bool durable) {
        const auto found = pending_.find(token);
        if (found == pending_.end()) return {};
        auto requests = std::move(found->second.requests);
        if (!durable && found->second.rest) assembly.restore(now, std::move(*found->second.rest));
        pending_.erase(found);
        return requests;
    }

    // Parts that have been held long enough, to be answered now.
    std::vector<Request> release(Monotonic now) {
        std::vector<Request> due;
        std::erase_if(held_, [&](HeldPart& part) {
            if (part.release_at > now) return false;
            due.push_back(std::move(part.request));
            return true;
        });
        return due;
    }
    [[nodiscard]] std::optional<Monotonic> wake_at() const {
        return held_.empty() ? std::nullopt : std::optional{held_.front().release_at};  // all are held equally long
    }

    // What was never answered comes again. A message that was whole but not acknowledged is taken apart, so that its parts make it again.
    void connection_lost(Monotonic now, PartAssembly& assembly) {
        for (auto& [token, pending] : pending_)
            if (pending.rest) assembly.restore(now, std::move(*pending.rest));
        pending_.clear();
        held_.clear();
    }

    [[nodiscard]] bool has_unacknowledged() const { return !pending_.empty(); }
    [[nodiscard]] std::size_t unanswered() const { return pending_.size() + held_.size(); }

private:
    struct Pending {
        std::vector<Request> requests;
        std::optional<PartAssembly::Whole> rest;  // of a long message: the parts that were answered already
    };
    struct HeldPart {
        Request request;
        PartAssembly::Key key;
        Monotonic release_at{};
    };
    static bool same(const PartAssembly::Key& a, const PartAssembly::Key& b) { return !(a < b) && !(b < a); }

    Token remember(Pending pending) {
        pending_.emplace(next_token_, std::move(pending));
        return next_token_++;
    }

    // The provider repeats a part: it is answered when the first copy is.
    std::optional<Request> answer_repeated(Monotonic now, const PartAssembly::Key& key, Request request) {
        for (auto& [token, pending] : pending_)
            if (pending.rest && same(pending.rest->key, key)) {
                pending.requests.push_back(std::move(request));
                return std::nullopt;
            }
        if (std::none_of(held_.begin(), held_.end(), [&](const HeldPart& part) { return same(part.key, key); })) return request;
        held_.push_back({.request = std::move(request), .key = key, .release_at = now + hold_part_for});
        return std::nullopt;
    }

    Token next_token_ = 1;
    std::unordered_map<Token, Pending> pending_;
    std::vector<HeldPart> held_;
};

}  // namespace touchgate::content
