// A message centre that takes everything at once: the limit of what can be submitted on this machine. Any user may bind. Each submit is
// answered in the same write as the others that came with it; with receipts each message is reported as delivered right after.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace touchgate::bench {

class SmppSink {
public:
    // Listens on a free port of 127.0.0.1, on a thread of its own, until the process ends.
    SmppSink();
    ~SmppSink();
    SmppSink(const SmppSink&) = delete;
    SmppSink& operator=(const SmppSink&) = delete;

    struct Counts {
        std::uint64_t submits = 0, receipts_answered = 0, binds = 0;
        std::int64_t last_submit_ns = 0, last_receipt_ns = 0;  // CLOCK_MONOTONIC
    };
    struct Arrival {
        std::uint64_t number = 0;  // the last eight digits of the recipient
        std::int64_t at_ns = 0;
    };
    [[nodiscard]] std::uint16_t port() const;
    void set_receipts(bool wanted);
    [[nodiscard]] Counts counts() const;
    // Counts from zero; also forgets the arrivals.
    void forget();
    [[nodiscard]] std::vector<Arrival> take_arrivals();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace touchgate::bench
