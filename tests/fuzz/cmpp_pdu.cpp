// Feeds bytes to every CMPP decoder, and a connection's worth of them to a session that is logged in.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/cmpp/session.hpp"

using namespace touchgate;
using namespace touchgate::adapters::cmpp;

namespace {

void decode_all(std::string_view bytes) {
    const Settings settings;
    FrameReader reader;
    reader.feed(bytes);
    while (const auto frame = reader.next()) {
        (void)read_connect(frame->body);
        (void)read_connect_answer(frame->body);
        (void)read_submit_answer(frame->body);
        for (const bool wide : {false, true}) {
            (void)read_submit(frame->body, wide);
            if (const auto deliver = read_deliver(frame->body, wide)) {
                (void)decode_text(content::read_user_data(deliver->content).text, deliver->format, settings);
                if (const auto report = read_report(deliver->content)) (void)read_receipt(*report, settings);
                std::string written;
                append_deliver(written, 1, *deliver, wide);
            }
        }
    }
}

void run_session(std::string_view bytes, Version version) {
    Settings settings;
    settings.version = version;
    settings.sp_id = "901234";
    Session session{std::make_shared<const Settings>(settings), std::make_shared<AccountState>(1), 1};
    channel::Monotonic now{std::chrono::hours{1}};
    session.on_connected(now);
    std::string answer;
    append_connect_answer(answer, 1, {.status = 0, .authenticator = {}, .version = static_cast<std::uint8_t>(version)}, is_wide(version));
    session.on_bytes(now, answer);
    for (channel::AttemptRef ref = 1; ref <= 3 && session.can_submit(); ++ref)
        session.submit(now, {.ref = ref, .to = "+8613900000001", .content = {.text = std::string(ref == 2 ? 200 : 5, 'a')}});
    session.on_bytes(now, bytes);
    for (channel::AckToken token = 1; token < 5; ++token) session.acknowledge(token, token % 2 == 0);
    (void)session.take_output();
    for (int i = 0; i < 10; ++i) {
        const auto at = session.wake_at();
        if (!at) break;
        now = std::max(now, *at);
        session.on_wake(now);
        (void)session.take_output();
    }
    session.on_closed(now, "end");
    (void)session.take_output();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    decode_all(bytes);
    run_session(bytes, Version::v20);
    run_session(bytes, Version::v30);
    return 0;
}

// Read by the corpus runner.
std::vector<std::string> fuzz_seeds();
std::vector<std::string> fuzz_seeds() {
    std::vector<std::string> seeds;
    for (const bool wide : {false, true}) {
        Deliver deliver;
        deliver.message_id = 7;
        deliver.destination = "10690000";
        deliver.source = "13900000001";
        deliver.registered_delivery = 1;
        deliver.content = report_content(
            {.message_id = 5, .stat = "DELIVRD", .submit_time = "2601020304", .done_time = "2601020305", .destination = "13900000001", .sequence = 1},
            wide);
        std::string seed;
        append_deliver(seed, 1, deliver, wide);
        append_submit_answer(seed, 2, {.message_id = 5, .result = 0}, wide);
        deliver.registered_delivery = 0;
        deliver.user_data_header = 1;
        deliver.format = 15;
        deliver.content = std::string{"\x05\x00\x03\x07\x02\x01", 6} + "\xCD\xCB\xB6\xA9";
        append_deliver(seed, 3, deliver, wide);
        append_header_only(seed, command::active_test, 4);
        append_submit_answer(seed, 3, {.message_id = 0, .result = 8}, wide);
        append_header_only(seed, command::terminate, 5);
        seeds.push_back(seed);
    }
    return seeds;
}
