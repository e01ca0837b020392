#include "gateway/touch_log/format.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

// The log of the worked example: two batches in a sealed segment, one batch in the next.
std::unique_ptr<FileLog> write_example(Disk& disk, FileLogOptions options) {
    options.segment_bytes = 620;
    auto log = open_log(disk, options);
    std::uint64_t sequence = 0;
    REQUIRE(log->reserve(200));
    const auto first = log->append(from_unix_ms(1'764'554'400'000), 1, 1, ContactIndex{7}, {}, "hello", sequence);
    (void)log->append(from_unix_ms(1'764'554'400'000), 2, 1, ContactIndex{8}, {}, "", sequence);
    REQUIRE(log->commit());
    REQUIRE(log->reserve(100));
    (void)log->append(from_unix_ms(1'764'554'401'250), 3, 1, ContactIndex{7}, first, "again", sequence);
    REQUIRE(log->commit());
    REQUIRE(log->reserve(300));
    (void)log->append(from_unix_ms(1'764'554'402'000), 1, 1, ContactIndex{9}, {}, "in the second segment", sequence);
    REQUIRE(log->commit());
    return log;
}

void dump(std::ostringstream& out, const std::string& bytes, std::size_t begin, std::size_t end, const char* title) {
    out << "# " << title << '\n';
    for (auto at = begin; at < end; at += 16) {
        char offset[24];
        std::snprintf(offset, sizeof offset, "%04zx", at);
        out << offset << ' ';
        for (auto i = at; i < std::min(end, at + 16); ++i) out << ' ' << to_hex(std::string_view{bytes}.substr(i, 1));
        out << '\n';
    }
}

std::string example_text() {
    FaultyDisk disk{1};
    const auto log = write_example(disk, options_for());
    const auto first = disk.bytes(segment_path(1));
    const auto second = disk.bytes(segment_path(2));
    std::ostringstream out;
    out << "0000000001.log\n";
    dump(out, first, 0, 128, "header");
    dump(out, first, 128, 201, "record 1: contact 7, type 1, \"hello\"");
    dump(out, first, 201, 269, "record 2: contact 8, type 2, no payload");
    dump(out, first, 269, 309, "trailer: 2 records from sequence 1");
    dump(out, first, 309, 382, "record 3: contact 7, type 3, \"again\"; that contact's previous record is at segment 1, offset 0x80");
    dump(out, first, 382, 422, "trailer: 1 record from sequence 3");
    dump(out, first, 422, 526, "footer: 3 records, the last is 3");
    out << "0000000002.log\n";
    dump(out, second, 0, 128, "header: the hash at 0x30 is that of record 3");
    dump(out, second, 128, 217, "record 4: contact 9, type 1, \"in the second segment\"");
    dump(out, second, 217, 257, "trailer: 1 record from sequence 4");
    REQUIRE(first.size() == 526);
    REQUIRE(second.size() == 257);
    return out.str();
}

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    REQUIRE(file);
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("format: the worked example of docs/touch-log.md is what the log writes, byte for byte") {
    const auto page = read_file(TOUCHGATE_SOURCE_DIR "/docs/touch-log.md");
    const std::string opening = "```text\n0000000001.log\n";
    const auto begin = page.find(opening);
    REQUIRE(begin != std::string::npos);
    const auto from = begin + 8;
    CHECK(page.substr(from, page.find("```", from) - from) == example_text());
}

TEST_CASE("format: the example reader reads the worked example and refuses it when a byte is changed") {
    if (std::system("python3 -c '' 2>/dev/null") != 0) return;  // no Python here
    auto name = (std::filesystem::temp_directory_path() / "log_reader_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    auto disk = make_real_disk();
    auto options = options_for();
    options.data_dir = name;
    (void)write_example(*disk, options);
    const auto run = [&] {
        return std::system((TOUCHGATE_SOURCE_DIR "/tests/integration/log_reader/run.sh " + name + " 4 > " + name + "/out 2> " + name + "/err").c_str());
    };
    INFO(name);
    CHECK(run() == 0);
    CHECK(read_file(name + "/out") == "ok: 4 records\n");

    CHECK(std::system(("python3 " TOUCHGATE_SOURCE_DIR "/docs/examples/read_log.py " + name + "/log > " + name + "/lines").c_str()) == 0);
    const auto lines = read_file(name + "/lines");
    CHECK(lines.starts_with("1 2025-12-01T02:00:00.000+00:00 type=1.1 contact=7 bytes=5\n2 "));
    const auto path = name + "/log/0000000001.log";
    for (const std::size_t at : {std::size_t{40}, std::size_t{170}, std::size_t{300}, std::size_t{500}}) {
        auto bytes = read_file(path);
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        REQUIRE(disk->open(path, Disk::Mode::write).value()->write(0, bytes));
        CHECK(run() != 0);
        CHECK(read_file(name + "/err").find("AssertionError: 0000000001.log: ") != std::string::npos);
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        REQUIRE(disk->open(path, Disk::Mode::write).value()->write(0, bytes));
    }
    // A batch that is not complete yet is not shown.
    const auto last = name + "/log/0000000002.log";
    REQUIRE(disk->open(last, Disk::Mode::write).value()->truncate(230));
    CHECK(std::system((TOUCHGATE_SOURCE_DIR "/tests/integration/log_reader/run.sh " + name + " 3 > /dev/null").c_str()) == 0);
    std::filesystem::remove_all(name);
}

TEST_CASE("format: names of segments") {
    CHECK(log_format::segment_name(1) == "0000000001.log");
    CHECK(log_format::segment_name(4294967295) == "4294967295.log");
    CHECK(log_format::parse_segment_name("0000000012.log") == 12U);
    for (const auto* name : {"0000000000.log", "4294967296.log", "000000001.log", "0000000001.log.new", "000000000a.log", "0000000001.txt", ""})
        CHECK_FALSE(log_format::parse_segment_name(name));
}

TEST_CASE("format: a header decodes to what was encoded, and no changed byte passes") {
    const log_format::SegmentHeader header{.segment = 12, .first_sequence = 345, .log_id = {1, 2, 3}, .previous_hash = {4, 5, 6}};
    const auto bytes = log_format::encode_header(header);
    REQUIRE(bytes.size() == log_format::header_bytes);
    const auto decoded = log_format::decode_header(bytes);
    REQUIRE(decoded);
    CHECK(decoded->segment == 12);
    CHECK(decoded->first_sequence == 345);
    CHECK(decoded->log_id == header.log_id);
    CHECK(decoded->previous_hash == header.previous_hash);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x40);
        CHECK_FALSE(log_format::decode_header(changed));
        CHECK_FALSE(log_format::decode_header(bytes.substr(0, at)));
    }
}
