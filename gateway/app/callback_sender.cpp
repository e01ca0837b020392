#include "gateway/app/callback_sender.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <utility>

#include "gateway/base/text.hpp"
#include "gateway/base/thread_name.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::app {

namespace fs = std::filesystem;

namespace {

constexpr auto give_up_after = std::chrono::hours{24};

std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

int give_up_when_stopping(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return *static_cast<const std::atomic<bool>*>(stopping) ? 1 : 0; }

std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines;
    std::ifstream file{path, std::ios::binary};
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// Written beside and renamed, so that a crash leaves the old cursor: events are then sent again, never left out.
void replace_file(const fs::path& path, const std::string& bytes) {
    const auto temporary = path.string() + ".new";
    {
        std::ofstream file{temporary, std::ios::binary | std::ios::trunc};
        file << bytes;
    }
    std::error_code error;
    fs::rename(temporary, path, error);
}

}  // namespace

struct CallbackSender::Line {
    Callback callback;
    fs::path cursor_file;
    fs::path dead_file, again_file;  // under the mutex
    projection::Queries& queries;
    const LogReader& reader;
    const Clock& clock;
    std::uint64_t cursor = 0;
    std::mutex mutex;
    std::condition_variable wake;
    bool pending = true;
    std::atomic<bool> stopping = false;  // set under the mutex
    bool again = true;                   // there may be dead letters to be sent once more
    std::thread thread;

    // Which events does the receiver want? Final states, and the others by name.
    [[nodiscard]] std::vector<std::string> types() const {
        std::vector<std::string> wanted;
        for (const auto& event : callback.events) {
            if (event == "final")
                for (const auto* type : {"touch.blocked", "touch.held_out", "touch.delivered", "touch.read", "touch.completed", "touch.failed", "touch.cancelled", "touch.expired", "touch.settled"})
                    wanted.emplace_back(type);
            else if (event == "lead") wanted.emplace_back("lead.*");
            else wanted.push_back("touch." + event);
        }
        return wanted;
    }

    bool post(const std::string& body, long& status) {
        const auto timestamp = std::to_string(unix_ms(clock.wall_now()) / 1000);
        std::string signature = "Touchgate-Signature: ";
        for (std::size_t i = 0; i < callback.secrets.size(); ++i)
            signature += (i > 0 ? ",v1=" : "v1=") + to_hex(crypto::view(crypto::hmac_sha256(callback.secrets[i], timestamp + "." + body)));
        CURL* curl = curl_easy_init();
        if (curl == nullptr) return false;
        curl_slist* headers = nullptr;
        headers = curl_slist_append(headers, "Content-Type: application/cloudevents-batch+json");
        headers = curl_slist_append(headers, ("Touchgate-Timestamp: " + timestamp).c_str());
        headers = curl_slist_append(headers, signature.c_str());
        curl_easy_setopt(curl, CURLOPT_URL, callback.url.c_str());
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 15'000L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, give_up_when_stopping);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stopping);
        const auto result = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return result == CURLE_OK && status >= 200 && status < 300;
    }

    // Tries until it works, with back-off; after a day the batch goes to the dead letters. False: stopping.
    bool deliver(const std::vector<std::string>& events) {
        std::string body = "[";
        for (const auto& event : events) body += (body.size() > 1 ? "," : "") + event;
        body += "]";
        const auto started = clock.monotonic_now();
        auto pause = std::chrono::milliseconds{500};
        for (;;) {
            long status = 0;
            if (post(body, status)) return true;
            if (clock.monotonic_now() - started > give_up_after) {
                const std::lock_guard lock{mutex};
                std::ofstream dead{dead_file, std::ios::binary | std::ios::app};
                for (const auto& event : events) dead << event << '\n';
                return true;
            }
            std::unique_lock lock{mutex};
            if (wake.wait_for(lock, pause, [&] { return stopping.load(); })) return false;
            pause = std::min(pause * 2, std::chrono::milliseconds{15 * 60'000});
        }
    }

    // The dead letters that are to be sent once more. They leave their file when all of them are delivered. False: stopping.
    bool deliver_again() {
        std::vector<std::string> letters;
        {
            const std::lock_guard lock{mutex};
            letters = lines_of(again_file);
        }
        const auto at = [&](std::size_t i) { return letters.begin() + static_cast<std::ptrdiff_t>(std::min(letters.size(), i)); };
        for (std::size_t i = 0; i < letters.size(); i += callback.batch)
            if (!deliver({at(i), at(i + callback.batch)})) return false;
        const std::lock_guard lock{mutex};
        std::string later;  // what was added meanwhile
        const auto now = lines_of(again_file);
        for (std::size_t i = letters.size(); i < now.size(); ++i) later += now[i] + '\n';
        std::error_code error;
        if (later.empty()) fs::remove(again_file, error);
        else replace_file(again_file, later);
        return true;
    }

    void run() {
        name_this_thread("callback");
        for (;;) {
            bool letters = false;
            {
                std::unique_lock lock{mutex};
                wake.wait(lock, [&] { return stopping || pending || again; });
                if (stopping) return;
                pending = false;
                letters = std::exchange(again, false);
            }
            if (letters && !deliver_again()) return;
            for (;;) {
                auto page = queries.events({.after = cursor, .types = types(), .filter = {.callback = callback.name}, .limit = std::min<std::size_t>(callback.batch, 1000), .visibility = {}});
                if (!page) break;
                if (!page->items.empty()) {
                    std::vector<std::string> events;
                    for (auto& item : page->items) events.push_back(std::move(item.json));
                    if (!deliver(events)) return;
                }
                const bool moved = page->scanned_to > cursor;
                cursor = std::max(cursor, page->scanned_to);
                if (moved) replace_file(cursor_file, std::to_string(cursor));
                if (page->items.empty() || !moved) break;
            }
        }
    }
};

CallbackSender::CallbackSender(std::vector<Callback> callbacks, std::string data_dir, projection::Queries& queries, const LogReader& reader, const Clock& clock) {
    const auto folder = fs::path{data_dir} / "callbacks";
    std::error_code error;
    if (!callbacks.empty()) fs::create_directories(folder, error);
    for (auto& callback : callbacks) {
        auto line = std::unique_ptr<Line>(new Line{.callback = callback, .cursor_file = folder / (callback.name + ".cursor"), .dead_file = folder / (callback.name + ".dead.ndjson"),
                                                   .again_file = folder / (callback.name + ".again.ndjson"), .queries = queries, .reader = reader, .clock = clock,
                                                   .cursor = 0, .mutex = {}, .wake = {}, .pending = true, .stopping = false, .again = true, .thread = {}});
        if (const auto stored = read_file(line->cursor_file.string())) line->cursor = std::strtoull(stored->c_str(), nullptr, 10);
        line->thread = std::thread{[running = line.get()] { running->run(); }};
        lines_.emplace(callback.name, std::move(line));
    }
}

CallbackSender::~CallbackSender() {
    for (auto& [name, line] : lines_) {
        {
            const std::lock_guard lock{line->mutex};
            line->stopping = true;
        }
        line->wake.notify_all();
    }
    for (auto& [name, line] : lines_) line->thread.join();
}

void CallbackSender::notify() {
    for (auto& [name, line] : lines_) {
        {
            const std::lock_guard lock{line->mutex};
            line->pending = true;
        }
        line->wake.notify_one();
    }
}

bool CallbackSender::knows(const std::string& callback) const { return lines_.contains(callback); }

std::string CallbackSender::dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor, std::string& next_cursor) {
    auto& line = *lines_.at(callback);
    const std::lock_guard lock{line.mutex};
    std::ifstream file{line.dead_file};
    const auto skip = std::strtoull(cursor.c_str(), nullptr, 10);
    std::string items = "[";
    std::size_t seen = 0;
    std::size_t taken = 0;
    for (std::string text; std::getline(file, text); ++seen) {
        if (seen < skip) continue;
        if (taken == limit) {
            next_cursor = std::to_string(seen);
            break;
        }
        items += (taken++ > 0 ? "," : "") + text;
    }
    return items + "]";
}

std::size_t CallbackSender::replay(const std::string& callback) {
    auto& line = *lines_.at(callback);
    std::size_t count = 0;
    {
        const std::lock_guard lock{line.mutex};
        std::ofstream file{line.again_file, std::ios::binary | std::ios::app};
        for (const auto& letter : lines_of(line.dead_file)) {
            file << letter << '\n';
            ++count;
        }
        if (!file.flush()) return 0;  // the disk is full: the letters stay dead
        std::error_code error;
        fs::remove(line.dead_file, error);
        line.again = true;
    }
    line.wake.notify_one();
    return count;
}

}  // namespace touchgate::app
