#include "gateway/http/agent_hub.hpp"

namespace touchgate::http {

namespace {
constexpr Duration heard_batch{200};
constexpr Duration again_after{100};
}  // namespace

void AgentHub::insist(Worker& worker, std::function<void(AgentDesk&)> work, int tries) {
    if (desk().in_turn(work) || tries <= 1) return;
    worker.wait_until([] { return false; }, again_after, [this, &worker, tries, work = std::move(work)](bool) mutable { insist(worker, std::move(work), tries - 1); });
}

std::vector<std::shared_ptr<const AgentFrame>> AgentHub::frames_of(const std::vector<std::shared_ptr<const AgentPush>>& pushes) {
    bool same = latest_.size() == pushes.size();
    for (std::size_t i = 0; same && i < pushes.size(); ++i) same = latest_[i].first == pushes[i];
    if (!same) {
        latest_.clear();
        for (const auto& push : pushes) latest_.emplace_back(push, std::make_shared<const AgentFrame>(push));
    }
    std::vector<std::shared_ptr<const AgentFrame>> frames;
    frames.reserve(latest_.size());
    for (const auto& [push, frame] : latest_) frames.push_back(frame);
    constexpr std::size_t kept = 64;
    if (latest_.size() > kept) latest_ = {};
    return frames;
}

void AgentHub::heard(const std::string& agent, Worker& worker) {
    {
        const std::scoped_lock lock{mutex_};
        heard_.push_back(agent);
        if (heard_.size() > 1) return;
    }
    worker.wait_until([] { return false; }, heard_batch, [this, &worker](bool) {
        std::vector<std::string> agents;
        {
            const std::scoped_lock lock{mutex_};
            agents.swap(heard_);
        }
        insist(worker, [agents = std::move(agents)](AgentDesk& desk) {
            for (const auto& each : agents) desk.heard(each);
        });
    });
}

}  // namespace touchgate::http
