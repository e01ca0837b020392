// Feeds bytes to every SMPP decoder, and a connection's worth of them to a bound session.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/smpp/message.hpp"
#include "adapters/smpp/session.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;

namespace {

void decode_all(std::string_view bytes) {
    FrameReader reader;
    reader.feed(bytes);
    while (const auto frame = reader.next()) {
        (void)read_bind(frame->body);
        (void)read_bind_answer(frame->body);
        (void)read_message_id(frame->body);
        for (const auto& message : {read_short_message(frame->body), read_data_message(frame->body)}) {
            if (!message) continue;
            const auto received = received_bytes(*message);
            const auto text = decode_text(received.text, message->data_coding, content::Alphabet::gsm);
            (void)read_receipt(*message, text, {});
            std::string written;
            append_short_message(written, command::deliver_sm, 1, *message);
        }
    }
}

void run_session(std::string_view bytes) {
    const auto settings = std::make_shared<const Settings>();
    Session session{settings, std::make_shared<AccountState>(1), 1};
    channel::Monotonic now{std::chrono::hours{1}};
    session.on_connected(now);
    std::string bound;
    append_bind_answer(bound, command::bind_transceiver, 0, 1, {});
    session.on_bytes(now, bound);
    for (channel::AttemptRef ref = 1; ref <= 3 && session.can_submit(); ++ref)
        session.submit(now, {.ref = ref, .to = "+8613900000001", .content = {.text = std::string(ref == 2 ? 400 : 5, 'a')}});
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
    run_session(bytes);
    return 0;
}

// Read by the corpus runner.
std::vector<std::string> fuzz_seeds();
std::vector<std::string> fuzz_seeds() {
    ShortMessage receipt;
    receipt.source = {.ton = 1, .npi = 1, .digits = "8613900000001"};
    receipt.esm_class = 0x04;
    receipt.short_message = "id:1 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:x";
    receipt.tlvs = {{.tag = tag::receipted_message_id, .value = "ab"}, {.tag = tag::message_state, .value = "\x02"}};
    std::string seed;
    append_short_message(seed, command::deliver_sm, 1, receipt);
    append_message_answer(seed, command::submit_sm, 0, 2, "4f3a2b1c");
    ShortMessage part = receipt;
    part.esm_class = 0x40;
    part.short_message = std::string{"\x05\x00\x03\x07\x02\x01", 6} + "hello";
    part.tlvs = {{.tag = tag::message_payload, .value = "payload"}};
    append_short_message(seed, command::deliver_sm, 2, part);
    append_data_message(seed, 3, receipt);
    append_header_only(seed, command::enquire_link, 0, 4);
    append_header_only(seed, command::generic_nack, 3, 3);
    append_header_only(seed, command::unbind, 0, 5);
    return {seed, seed.substr(0, 100)};
}
