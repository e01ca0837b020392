// Random but lawful histories of touches: interleaved, with every kind of outcome. The same seed gives the same log.
#pragma once

#include "gateway/base/random.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"

namespace touchgate::test {

inline void write_random_touches(Scene& scene, std::uint64_t seed, std::size_t touches) {
    using channel::OutcomeKind;
    using channel::ReceiptStatus;
    Random random{seed};
    std::vector<ContactIndex> contacts;
    struct Live {
        TouchId id;
        ContactIndex contact;
        std::uint16_t attempt = 0;
        int step = 0;
        bool two_candidates = false;
    };
    std::vector<Live> live;
    std::size_t made = 0;
    const auto finish = [&](std::size_t at) {
        live[at] = live.back();
        live.pop_back();
    };
    while (made < touches || !live.empty()) {
        if (random.chance(0.2)) scene.now += Duration{static_cast<std::int64_t>(random.below(400'000))};
        if (made < touches && (live.empty() || random.chance(0.3))) {
            if (contacts.empty() || random.chance(0.3)) contacts.push_back(scene.contact());
            const auto contact = contacts[random.below(contacts.size())];
            ++made;
            const auto kind = random.below(10);
            if (kind == 0) {
                scene.create(contact, {Scene::sms}, TouchState::blocked, static_cast<std::uint16_t>(random.below(3)));
            } else {
                const bool two = random.chance(0.3);
                const std::vector<ProfileId> candidates = two ? std::vector<ProfileId>{Scene::sms, Scene::wecom} : std::vector<ProfileId>{ProfileId{static_cast<std::uint32_t>(1 + random.below(4))}};
                const bool deferred = kind < 3;
                live.push_back({scene.create(contact, candidates, deferred ? TouchState::deferred : TouchState::queued, deferred ? std::uint16_t{2} : policy::no_rule), contact, 0,
                                deferred ? 0 : 1, two});
            }
            continue;
        }
        const auto at = random.below(live.size());
        auto& one = live[at];
        if (one.step == 0) {  // waiting, deferred
            TouchDecided event;
            event.touch = one.id;
            const auto verdict = random.chance(0.5) ? policy::Verdict::allow : random.chance(0.7) ? policy::Verdict::defer : policy::Verdict::deny;
            event.decision = Scene::decision(verdict, verdict == policy::Verdict::allow ? policy::no_rule : std::uint16_t{1}, verdict == policy::Verdict::defer ? unix_ms(scene.now) + 1000 : 0);
            scene.write(event, one.contact);
            if (verdict == policy::Verdict::allow) one.step = 1;
            if (verdict != policy::Verdict::deny) continue;
            scene.write(TouchBlocked{.touch = one.id, .reason = {}}, one.contact);
            finish(at);
        } else if (one.step == 1) {  // queued
            if (random.chance(0.1)) {
                if (random.chance(0.5)) scene.write(TouchCancelled{.touch = one.id, .reason = {}}, one.contact);
                else scene.write(TouchExpired{.touch = one.id, .reason = {}}, one.contact);
                finish(at);
                continue;
            }
            ++one.attempt;
            scene.permit(one.id, one.contact, one.attempt, one.two_candidates && one.attempt > 1 ? 1 : 0);
            one.step = 2;
        } else if (one.step == 2) {  // dispatching
            const auto kind = random.below(10);
            if (kind == 0) {
                scene.write(TouchPermitLapsed{.touch = one.id, .attempt = one.attempt}, one.contact);
                one.step = 1;
            } else if (kind == 1) {
                scene.write(TouchUnknown{.touch = one.id, .attempt = one.attempt, .code = "timeout", .detail = {}}, one.contact);
                one.step = 3;
            } else if (kind == 2) {
                scene.write(TouchAttemptEnded{.touch = one.id, .attempt = one.attempt, .outcome = OutcomeKind::throttled, .code = "0x58", .detail = {},
                                              .slot = SlotChange::reserve, .next = 0, .retry_at = 0},
                            one.contact);
                one.step = 1;
            } else if (kind == 3) {
                const bool last = !one.two_candidates || one.attempt > 1;
                scene.write(TouchAttemptEnded{.touch = one.id, .attempt = one.attempt, .outcome = OutcomeKind::refused, .code = "0x0B", .detail = {},
                                              .slot = SlotChange::release, .next = static_cast<std::uint8_t>(last ? 2 : 1), .retry_at = 0},
                            one.contact);
                one.step = 1;
                if (!last) continue;
                scene.write(TouchFailed{.touch = one.id, .attempt = one.attempt, .reason = "refused", .provider_id = {}, .raw = {}, .slot = SlotChange::release}, one.contact);
                finish(at);
            } else {
                scene.accept(one.id, one.contact, one.attempt);
                one.step = 3;
            }
        } else {  // waiting for receipts
            const auto kind = random.below(6);
            if (kind < 3) scene.receipt(one.id, one.contact, ReceiptStatus::delivered, "DELIVRD", one.attempt);
            else if (kind == 3) scene.receipt(one.id, one.contact, ReceiptStatus::failed, "UNDELIV", one.attempt);
            else if (kind == 4) scene.receipt(one.id, one.contact, ReceiptStatus::pending, "ENROUTE", one.attempt);
            if (kind < 2 && random.chance(0.3)) scene.write(TouchReplied{.touch = one.id, .attempt = one.attempt, .provider_id = {}, .raw = {}, .provider_time = 0}, one.contact);
            if (kind == 5 || random.chance(0.6)) finish(at);
        }
    }
}

}  // namespace touchgate::test
