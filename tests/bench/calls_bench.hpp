// What a call to a provider costs the gateway's transport thread, while the provider takes its time to answer.
#pragma once

namespace touchgate::bench {

// Keeps `in_flight` POSTs open for `seconds` against a server in this process that answers each after `latency_ms`, and prints calls a second and
// the processor time of the thread that makes them, per call.
void run_calls_bench(int in_flight, int latency_ms, double seconds);

}  // namespace touchgate::bench
