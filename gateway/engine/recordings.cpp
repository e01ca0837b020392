// Recordings: fetched off the telephone system, sealed under the contact's key, kept in DATA_DIR/recordings.

#include "gateway/engine/call_host.hpp"
#include "gateway/engine/recordings.hpp"

namespace touchgate {

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10U;

}  // namespace

std::string recording_path(const std::string& data_dir, std::string_view name) { return data_dir + "/recordings/" + std::string{name} + ".sealed"; }

void Engine::Internals::keep_recording(AccountNumber account, channel::RecordingFetched& fetched) {
    const auto known = call_names.find(call_key(accounts[account].settings.name, fetched.recording));
    if (known == call_names.end()) return;
    const auto id = known->second;
    const auto found = state.calls.find(id);
    const auto interaction = state.interactions.find(id);
    if (found == state.calls.end() || interaction == state.interactions.end()) return;
    const auto row = std::find_if(found->second.recordings.begin(), found->second.recordings.end(), [&](const auto& each) { return each.name == fetched.recording; });
    if (row == found->second.recordings.end() || row->state == voice::RecordingState::stored) return;
    voice::RecordingChanged fact{.call = id, .recording = fetched.recording, .state = voice::RecordingState::failed, .lasted_ms = 0, .bytes = 0, .content_type = fetched.content_type,
                                 .failure = fetched.failure, .voicemail = row->voicemail};
    if (fetched.failure.empty()) {
        const auto* key = parts.keys.find(interaction->second.contact);
        if (key == nullptr) fact.failure = "erased";  // its contact is gone: so is what he said
        else if (auto kept = write_recording(parts.disk, recording_path(settings.data_dir, fetched.recording), *key, fetched.bytes, parts.random); !kept) {
            fact.failure = kept.error().detail;
        } else {
            fact.state = voice::RecordingState::stored;
            fact.bytes = static_cast<std::int64_t>(fetched.bytes.size());
        }
    }
    call_names.erase(known);
    note_call_fact(fact);
    if (fact.state == voice::RecordingState::stored || fact.failure == "erased")
        call_orders.push_back({.account = account, .id = 0, .command = channel::DropRecording{.recording = fetched.recording}});
}

// Pieces of one size, each sealed for itself, so that a part of it can be read without the rest. Each stands after its length.
Result<void> write_recording(Disk& disk, const std::string& path, const crypto::Key& key, std::string_view bytes, Random& random) {
    if (auto made = disk.make_folder(path.substr(0, path.rfind('/'))); !made) return made.error();
    const auto nonce = random.next();
    std::string all;
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < bytes.size() || number == 0; at += piece_bytes) {
        std::string sealed;
        crypto::seal(sealed, key, nonce, number++, bytes.substr(at, piece_bytes));
        ByteWriter piece;
        piece.u64(sealed.size());
        all.append(piece.bytes()).append(sealed);
    }
    const auto draft = path + ".new";
    if (disk.exists(draft))
        if (auto removed = disk.remove(draft); !removed) return removed.error();
    auto file = disk.open(draft, Disk::Mode::create);
    if (!file) return file.error();
    if (auto written = (*file)->write(0, all); !written) return written.error();
    if (auto synced = (*file)->sync(); !synced) return synced.error();
    file->reset();
    return disk.rename(draft, path);
}

Result<std::string> read_recording(Disk& disk, const std::string& path, const crypto::Key& key, std::uint64_t from, std::uint64_t size) {
    auto file = disk.open(path, Disk::Mode::read);
    if (!file) return file.error();
    const auto length = (*file)->size();
    std::string out;
    std::uint64_t at = 0, plain_at = 0;
    while (at + 8 <= length && plain_at < from + size) {
        const auto header = (*file)->read(at, 8);
        if (!header) return header.error();
        ByteReader reader{*header};
        const auto sealed_size = reader.u64();
        if (sealed_size > length - at - 8) return Error{.kind = ErrorKind::corrupt, .detail = "the recording's file is cut off"};
        // All pieces but the last are of one size: those before the part that is wanted are passed over.
        if (plain_at + piece_bytes <= from && at + 8 + sealed_size < length) {
            plain_at += piece_bytes;
            at += 8 + sealed_size;
            continue;
        }
        const auto sealed = (*file)->read(at + 8, static_cast<std::size_t>(sealed_size));
        if (!sealed) return sealed.error();
        const auto plain = crypto::unseal(key, *sealed);
        if (!plain) return Error{.kind = ErrorKind::corrupt, .detail = "the recording cannot be opened: its contact was erased, or the file is damaged"};
        const auto skip = from > plain_at ? static_cast<std::size_t>(std::min<std::uint64_t>(from - plain_at, plain->size())) : std::size_t{0};
        out.append(plain->substr(skip, static_cast<std::size_t>(size - out.size())));
        plain_at += plain->size();
        at += 8 + sealed_size;
    }
    return out;
}

Result<RecordingPart> Engine::open_recording(const Uuid& id, const std::string& name, const std::string& by, const std::string& reason, std::uint64_t from, std::uint64_t size) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto missing = Error{.kind = ErrorKind::not_found, .detail = "there is no recording of interaction " + to_string(id)};
    const auto call = in.state.calls.find(id);
    const auto interaction = in.state.interactions.find(id);
    if (call == in.state.calls.end() || interaction == in.state.interactions.end()) return missing;
    const voice::Recording* found = nullptr;
    for (const auto& each : call->second.recordings)
        if (each.state == voice::RecordingState::stored && (name.empty() || each.name == name)) found = &each;
    const auto* key = in.parts.keys.find(interaction->second.contact);
    if (found == nullptr || key == nullptr) return missing;
    const auto bytes = static_cast<std::uint64_t>(found->bytes);
    RecordingPart part{.recording = found->name, .content_type = found->content_type, .total = bytes, .from = std::min(from, bytes), .bytes = {}};
    auto read = read_recording(in.parts.disk, recording_path(in.settings.data_dir, found->name), *key, part.from, std::min(size, bytes - part.from));
    if (!read) return read.error();
    part.bytes = std::move(*read);
    in.emit(interaction->second.contact, RecordingAccessed{.interaction = id, .recording = found->name, .by = by, .reason = reason, .from = static_cast<std::int64_t>(part.from),
                                                           .size = static_cast<std::int64_t>(part.bytes.size())});
    return part;
}

}  // namespace touchgate
