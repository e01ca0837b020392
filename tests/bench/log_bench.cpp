#include "tests/bench/log_bench.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/touch_log/format.hpp"

namespace touchgate::bench {

namespace {

constexpr std::size_t record_bytes = 300;
constexpr std::size_t payload_bytes = record_bytes - log_format::record_overhead_bytes;
constexpr int rounds = 5;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::unique_ptr<FileLog> open_log(Disk& disk, const std::string& folder, const LogHead& from = {}) {
    LogRecovery recovery;
    FileLogOptions options;
    options.data_dir = folder;
    return std::move(FileLog::open(disk, options, from, 0, recovery)).value();
}

void append_batch(FileLog& log, std::size_t records, std::string_view payload, std::int64_t time) {
    log.reserve(records * record_bytes).value();
    std::uint64_t sequence = 0;
    for (std::size_t i = 0; i < records; ++i)
        (void)log.append(from_unix_ms(time), 1, 1, ContactIndex{static_cast<std::uint32_t>(i + 1)}, LogPosition{}, payload, sequence);
    log.commit().value();
}

void bench_append(Disk& disk, const std::string& folder, std::size_t batch) {
    const std::string payload(payload_bytes, 'p');
    const std::string bare(batch * record_bytes + log_format::trailer_bytes, 'b');
    const std::size_t batches = batch == 1 ? 2000 : batch < 100 ? 1000 : 300;
    auto log = open_log(disk, folder + "/append");
    auto file = std::move(disk.open(folder + "/bare-" + std::to_string(batch), Disk::Mode::create)).value();
    std::uint64_t offset = 0;
    std::vector<double> log_rates;
    std::vector<double> bare_rates;
    for (int round = 0; round < rounds; ++round) {
        auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < batches; ++i) append_batch(*log, batch, payload, static_cast<std::int64_t>(i));
        log_rates.push_back(static_cast<double>(batches * batch) / seconds_since(start));
        start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < batches; ++i) {
            file->write(offset, bare).value();
            file->sync().value();
            offset += bare.size();
        }
        bare_rates.push_back(static_cast<double>(batches * batch) / seconds_since(start));
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < log_rates.size(); ++i) ratios.push_back(log_rates[i] / bare_rates[i]);
    std::printf("{\"bench\":\"log_append\",\"record_bytes\":%zu,\"batch\":%zu,\"records_per_s\":%.0f,\"bare_write_fdatasync_per_s\":%.0f,\"ratio\":%.2f}\n", record_bytes,
                batch, median(log_rates), median(bare_rates), median(ratios));
}

void bench_reading(Disk& disk, const std::string& folder) {
    const auto data = folder + "/read";
    auto log = open_log(disk, data);
    Random random{1};
    std::string payload(payload_bytes, '\0');
    for (int i = 0; i < 2500; ++i) {
        for (auto& byte : payload) byte = static_cast<char>(random.next());
        append_batch(*log, 512, payload, i);
    }
    const auto head = log->durable_head();

    std::vector<double> scans;
    std::uint64_t bytes = 0;
    std::vector<LogPosition> positions;
    for (int round = 0; round < rounds; ++round) {
        bytes = 0;
        const auto start = std::chrono::steady_clock::now();
        (void)log->scan(1,
                  [&](const Record& record) {
                      bytes += record.length;
                      if (round == 0 && record.sequence % 7 == 0) positions.push_back(record.position);
                      return true;
                  })
            .value();
        scans.push_back(seconds_since(start));
    }
    const auto scan = median(scans);
    std::printf("{\"bench\":\"log_scan\",\"records_per_s\":%.0f,\"mb_per_s\":%.0f}\n", static_cast<double>(head.sequence) / scan, static_cast<double>(bytes) / scan / 1e6);

    constexpr int reads = 300'000;
    std::string buffer;
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < reads; ++i) (void)log->at(positions[static_cast<std::size_t>(random.below(positions.size()))], buffer).value();
    std::printf("{\"bench\":\"log_at\",\"records_per_s\":%.0f}\n", reads / seconds_since(start));

    log.reset();
    start = std::chrono::steady_clock::now();
    log = open_log(disk, data);
    const auto whole = seconds_since(start);
    log.reset();
    start = std::chrono::steady_clock::now();
    log = open_log(disk, data, head);
    const auto tail = seconds_since(start);
    std::printf("{\"bench\":\"log_open\",\"mb\":%.0f,\"from_beginning_ms\":%.0f,\"from_head_ms\":%.0f}\n", static_cast<double>(bytes) / 1e6, whole * 1e3, tail * 1e3);

    FileLogOptions options;
    options.data_dir = data;
    start = std::chrono::steady_clock::now();
    const auto verified = verify_log(disk, options, head).value();
    std::printf("{\"bench\":\"log_verify\",\"mb_per_s\":%.0f,\"damages\":%zu}\n", static_cast<double>(bytes) / seconds_since(start) / 1e6, verified.damages.size());
}

}  // namespace

void run_log_bench(const std::string& folder) {
    std::filesystem::create_directories(folder);
    auto disk = make_real_disk();
    for (const std::size_t batch : {std::size_t{1}, std::size_t{64}, std::size_t{512}}) bench_append(*disk, folder, batch);
    bench_reading(*disk, folder);
    std::filesystem::remove_all(folder);
}

}  // namespace touchgate::bench
