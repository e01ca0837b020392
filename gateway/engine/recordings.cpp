// Recordings: fetched off the telephone system, sealed under the contact's key, kept in DATA_DIR/recordings until their time is over.

#include "gateway/engine/call_host.hpp"
#include "gateway/engine/recordings.hpp"

namespace touchgate {

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10U;
constexpr Duration deleted_kept{std::chrono::hours{24 * 30}};   // that there was one is told so long
constexpr Duration look_again{std::chrono::hours{1}};           // at one that cannot be deleted now
constexpr int deleted_at_once = 256;
constexpr Duration unheard_for{90'000};     // after the end of one, before it is asked for again: more than a fetch may take
constexpr int fetched_at_once = 16;

Duration retention_of(const Engine::Internals& in, const RecordingRow& row) {
    if (in.state.contacts[row.contact.value].erased) return Duration{0};  // before recordings went with their contact
    const auto account = in.account_numbers.find(in.state.symbols.name(row.account));
    if (account == in.account_numbers.end() || !in.accounts[account->second].settings.calls) return voice::RecordingRules{}.retention;
    return in.accounts[account->second].settings.calls->recording.retention;
}

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
    if (row == found->second.recordings.end() || row->state == voice::RecordingState::stored || row->state == voice::RecordingState::deleted) return;
    voice::RecordingChanged fact{.call = id, .recording = fetched.recording, .state = voice::RecordingState::failed, .lasted_ms = 0, .bytes = 0, .content_type = fetched.content_type,
                                 .failure = fetched.failure, .voicemail = row->voicemail};
    if (fetched.passing) return;  // it is asked for again
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

// ---- until when they are kept

void Engine::Internals::note_recording(const RecordMeta& meta, const voice::Call& call, const voice::RecordingChanged& fact) {
    using voice::RecordingState;
    if (fact.state != RecordingState::ended && fact.state != RecordingState::stored && fact.state != RecordingState::failed) return;
    auto& rows = state.recordings[fact.call];
    if (rows.empty()) state.recordings_of[meta.contact.value].push_back(fact.call);
    auto row = std::find_if(rows.begin(), rows.end(), [&](const RecordingRow& each) { return each.name == fact.recording; });
    if (row == rows.end()) row = rows.insert(rows.end(), RecordingRow{.name = fact.recording, .account = state.symbols.intern(call.account), .contact = meta.contact, .at = meta.time});
    if (row->is_deleted()) return;
    if (fact.state == RecordingState::stored) {
        row->stored = true;
        row->bytes = fact.bytes;
        row->content_type = fact.content_type;
    }
    if (meta.replay) return;
    schedule_recording(fact.call, *row);
    if (fact.state == RecordingState::ended) fetch_agenda.insert({now + unheard_for, fact.call, fact.recording});
}

void Engine::Internals::apply(const RecordMeta& meta, const RecordingDeleted& event) {
    if (const auto call = state.calls.find(event.interaction); call != state.calls.end())
        for (auto& each : call->second.recordings)
            if (each.name == event.recording) each.state = voice::RecordingState::deleted;
    const auto rows = state.recordings.find(event.interaction);
    if (rows == state.recordings.end()) return;
    for (auto& row : rows->second) {
        if (row.name != event.recording) continue;
        row.deleted_at = meta.time;
        row.reason = event.reason;
        if (!meta.replay) schedule_recording(event.interaction, row);
    }
}

void Engine::Internals::schedule_recording(const Uuid& id, const RecordingRow& row) {
    recording_agenda.insert({row.is_deleted() ? row.deleted_at + deleted_kept : row.at + retention_of(*this, row), id, row.name});
}

void Engine::Internals::begin_recordings() {
    recording_agenda.clear();
    for (const auto& [id, rows] : state.recordings)
        for (const auto& row : rows) {
            schedule_recording(id, row);
            // The program may have ended between the record of it and the end of the file.
            if (const auto path = recording_path(settings.data_dir, row.name); row.is_deleted() && row.stored && parts.disk.exists(path)) (void)parts.disk.remove(path);
        }
}

void Engine::Internals::fetch_recordings() {
    for (int done = 0; done < fetched_at_once && !fetch_agenda.empty() && std::get<0>(*fetch_agenda.begin()) <= now; ++done) {
        const auto [at, id, name] = *fetch_agenda.begin();
        fetch_agenda.erase(fetch_agenda.begin());
        const auto call = state.calls.find(id);
        if (call == state.calls.end()) continue;
        const auto row = std::find_if(call->second.recordings.begin(), call->second.recordings.end(), [&, &wanted = name](const voice::Recording& each) { return each.name == wanted; });
        if (row == call->second.recordings.end() || row->state != voice::RecordingState::ended) continue;
        fetch_agenda.insert({now + unheard_for, id, name});
        const auto account = account_numbers.find(call->second.account);
        if (account != account_numbers.end() && accounts[account->second].up) call_orders.push_back({.account = account->second, .id = 0, .command = channel::FetchRecording{.recording = name}});
    }
}

void Engine::Internals::run_recordings() {
    fetch_recordings();
    for (int done = 0; done < deleted_at_once && !recording_agenda.empty() && std::get<0>(*recording_agenda.begin()) <= now; ++done) {
        if (parts.log.room() < (std::size_t{1} << 20U)) return;
        const auto [at, id, name] = *recording_agenda.begin();
        recording_agenda.erase(recording_agenda.begin());
        const auto rows = state.recordings.find(id);
        if (rows == state.recordings.end()) continue;
        const auto row = std::find_if(rows->second.begin(), rows->second.end(), [&, &wanted = name](const RecordingRow& each) { return each.name == wanted; });
        if (row == rows->second.end()) continue;
        if (!row->is_deleted()) {
            if (row->at + retention_of(*this, *row) > now) continue;  // stands there a second time, later
            const auto* extras = state.contacts[row->contact.value].extras.get();
            const auto account = account_numbers.find(state.symbols.name(row->account));
            const bool out_of_reach = !row->stored && account != account_numbers.end() && !accounts[account->second].up;
            if ((extras != nullptr && extras->legal_hold) || out_of_reach) recording_agenda.insert({now + look_again, id, name});
            else delete_recording(id, *row, state.contacts[row->contact.value].erased ? "erased" : "retention");
            continue;
        }
        if (row->deleted_at + deleted_kept > now) continue;
        const auto contact = row->contact;
        rows->second.erase(row);
        if (!rows->second.empty()) continue;
        state.recordings.erase(rows);
        if (const auto known = state.recordings_of.find(contact.value); known != state.recordings_of.end()) {
            std::erase(known->second, id);
            if (known->second.empty()) state.recordings_of.erase(known);
        }
    }
}

void Engine::Internals::delete_recording(const Uuid& id, const RecordingRow& row, std::string_view reason) {
    const auto name = row.name;
    const bool stored = row.stored;
    const auto account = account_numbers.find(state.symbols.name(row.account));
    emit(row.contact, RecordingDeleted{.interaction = id, .recording = name, .reason = std::string{reason}});
    if (!stored) {
        if (account != account_numbers.end()) call_orders.push_back({.account = account->second, .id = 0, .command = channel::DropRecording{.recording = name}});
        return;
    }
    engine.after_sync([this, path = recording_path(settings.data_dir, name)] {
        if (parts.disk.exists(path)) (void)parts.disk.remove(path);  // what stays in spite of it goes at the next start
    });
}

void Engine::Internals::delete_recordings_of(ContactIndex contact) {
    const auto known = state.recordings_of.find(contact.value);
    if (known == state.recordings_of.end()) return;
    for (const auto& id : known->second)
        for (const auto& row : state.recordings.at(id))
            if (!row.is_deleted()) delete_recording(id, row, "erased");
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

std::string Engine::contact_of_recording(const Uuid& id) const {
    const auto& in = *internals_;
    const auto rows = in.state.recordings.find(id);
    return rows == in.state.recordings.end() ? std::string{} : in.state.contact_ids[rows->second.front().contact.value];
}

Result<RecordingPart> Engine::open_recording(const Uuid& id, const std::string& name, const std::string& by, const std::string& reason, std::uint64_t from, std::uint64_t size) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    auto missing = Error{.kind = ErrorKind::not_found, .detail = "there is no recording of interaction " + to_string(id)};
    const auto rows = in.state.recordings.find(id);
    if (rows == in.state.recordings.end()) return missing;
    const RecordingRow* found = nullptr;
    for (const auto& each : rows->second) {
        if (!name.empty() && each.name != name) continue;
        if (each.is_deleted()) {
            missing.detail = "the recording was deleted at " + format_instant(each.deleted_at) + ": " +
                             (each.reason == "erased" ? "its contact was erased" : "the time for which recordings are kept was over");
            missing.reference = "deleted";
        } else if (each.stored) {
            found = &each;
        }
    }
    const auto* key = found == nullptr ? nullptr : in.parts.keys.find(found->contact);
    if (key == nullptr) return missing;
    const auto bytes = static_cast<std::uint64_t>(found->bytes);
    RecordingPart part{.recording = found->name, .content_type = found->content_type, .total = bytes, .from = std::min(from, bytes), .bytes = {}};
    auto read = read_recording(in.parts.disk, recording_path(in.settings.data_dir, found->name), *key, part.from, std::min(size, bytes - part.from));
    if (!read) return read.error();
    part.bytes = std::move(*read);
    in.emit(found->contact, RecordingAccessed{.interaction = id, .recording = found->name, .by = by, .reason = reason, .from = static_cast<std::int64_t>(part.from),
                                              .size = static_cast<std::int64_t>(part.bytes.size())});
    return part;
}

}  // namespace touchgate
