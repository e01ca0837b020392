// What one command asks of the PBX: requests that follow one another, and the order between commands of the same leg or mix.
//
// A request whose answer does not come is never simply made again. Where the PBX can be asked what became of it, it is asked.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "gateway/channel/call_adapter.hpp"

namespace touchgate::adapters::asterisk_ari {

enum class Proof : std::uint8_t {
    none,     // the PBX cannot be asked
    exists,   // the question is answered with 200
    gone,     // with 404
    up,       // with a channel that is Up
    member,   // with a bridge that has the channel `proof_of`
    absent,   // with a bridge that has it not, or no bridge
};

struct Step {
    std::string method = "POST";
    std::string path;                            // below /ari, with its query
    std::string body = {};
    std::vector<int> nothing_left_to_do = {};    // statuses that mean that the aim is reached already
    Proof proof = Proof::none;
    std::string question = {};                   // path of the GET that proves it
    std::string proof_of = {};
    bool again = false;                          // may be made once more when the question proved that it was not carried out
    bool in_app = false;                         // only once the channel is in the application: a new one is not at once
    bool dials = false;                          // somebody's telephone rings by it: nothing of it after the permit's deadline
};

enum class JobKind : std::uint8_t { other, make_leg, end_leg, snoop, join, play, start_recording, stop_recording, fetch_recording, detect_machine, clean_up, internal };

struct Job {
    channel::CommandId command = 0;
    JobKind kind = JobKind::other;
    std::vector<std::string> keys = {};          // the legs, mixes, plays and recordings that it concerns
    std::vector<Step> steps = {};
    channel::LegId leg = {};                     // of the kinds that concern one
    std::string subject = {};                    // play or recording
    channel::Monotonic not_after = channel::Monotonic::max();
    Duration timeout{10'000};

    std::size_t at = 0;                          // step
    bool started = false;
    bool asking = false;                         // the question of the step is under way …
    bool after_conflict = false;                 // … because the step was answered 409
    bool repeated = false;
    bool cancelled = false;                      // no further step
};

using JobNumber = std::uint64_t;

// Jobs in the order of their commands: one runs when no earlier one that shares a key is left.
class JobQueue {
public:
    JobNumber add(Job job);
    [[nodiscard]] Job* find(JobNumber number);
    // Jobs that may start now, each given once.
    [[nodiscard]] std::vector<JobNumber> take_ready();
    void finish(JobNumber number);
    // The unfinished job that makes this leg; 0: none.
    [[nodiscard]] JobNumber maker_of(const channel::LegId& leg) const;
    // Those that have not begun, taken out.
    [[nodiscard]] std::vector<Job> take_waiting();
    [[nodiscard]] bool empty() const { return jobs_.empty(); }
    [[nodiscard]] std::size_t size() const { return jobs_.size(); }

private:
    [[nodiscard]] bool is_ready(JobNumber number, const Job& job) const;

    std::map<JobNumber, Job> jobs_;
    std::map<std::string, std::deque<JobNumber>, std::less<>> queues_;  // by key
    std::vector<JobNumber> ready_;
    JobNumber next_ = 1;
};

}  // namespace touchgate::adapters::asterisk_ari
