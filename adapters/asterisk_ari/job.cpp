#include "adapters/asterisk_ari/job.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::adapters::asterisk_ari {

JobNumber JobQueue::add(Job job) {
    const auto number = next_++;
    std::sort(job.keys.begin(), job.keys.end());
    job.keys.erase(std::unique(job.keys.begin(), job.keys.end()), job.keys.end());
    for (const auto& key : job.keys) queues_[key].push_back(number);
    const auto& held = jobs_.emplace(number, std::move(job)).first->second;
    if (is_ready(number, held)) ready_.push_back(number);
    return number;
}

Job* JobQueue::find(JobNumber number) {
    const auto found = jobs_.find(number);
    return found == jobs_.end() ? nullptr : &found->second;
}

bool JobQueue::is_ready(JobNumber number, const Job& job) const {
    return std::all_of(job.keys.begin(), job.keys.end(), [&](const std::string& key) {
        const auto queue = queues_.find(key);
        return queue != queues_.end() && queue->second.front() == number;
    });
}

std::vector<JobNumber> JobQueue::take_ready() { return std::exchange(ready_, {}); }

void JobQueue::finish(JobNumber number) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end()) return;
    const auto keys = std::move(found->second.keys);
    jobs_.erase(found);
    std::erase(ready_, number);
    std::vector<JobNumber> heads;
    for (const auto& key : keys) {
        const auto queue = queues_.find(key);
        if (queue == queues_.end()) continue;
        std::erase(queue->second, number);
        if (queue->second.empty()) queues_.erase(queue);
        else heads.push_back(queue->second.front());
    }
    std::sort(heads.begin(), heads.end());
    heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
    for (const auto head : heads) {
        const auto& job = jobs_.at(head);
        if (!job.started && is_ready(head, job) && std::find(ready_.begin(), ready_.end(), head) == ready_.end()) ready_.push_back(head);
    }
}

JobNumber JobQueue::maker_of(const channel::LegId& leg) const {
    const auto queue = queues_.find("leg " + leg);
    if (queue == queues_.end()) return 0;
    for (const auto number : queue->second) {
        const auto& job = jobs_.at(number);
        if ((job.kind == JobKind::make_leg || job.kind == JobKind::snoop) && job.leg == leg) return number;
    }
    return 0;
}

std::vector<Job> JobQueue::take_waiting() {
    std::vector<JobNumber> numbers;
    for (const auto& [number, job] : jobs_)
        if (!job.started) numbers.push_back(number);
    std::vector<Job> taken;
    for (const auto number : numbers) {
        taken.push_back(jobs_.at(number));
        finish(number);
    }
    ready_.clear();
    return taken;
}

}  // namespace touchgate::adapters::asterisk_ari
