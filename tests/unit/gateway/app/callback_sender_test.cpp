// Callbacks and their dead letters: nothing that is to be sent again is lost by a stop, and nobody waits for a receiver that does not answer.

#include "gateway/app/callback_sender.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/unit/gateway/net/servers.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/temporary_folder.hpp"

using namespace touchgate;

namespace {

struct Receiver {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> bodies;
    bool answers = true;
    net::test::Server server{[this](int socket) { serve(socket); }};

    void serve(int socket) {
        std::string request;
        char buffer[4096];
        std::size_t length = std::string::npos, head = 0;
        while (length == std::string::npos || request.size() < head + length) {
            const auto size = ::recv(socket, buffer, sizeof buffer, 0);
            if (size <= 0) return;
            request.append(buffer, static_cast<std::size_t>(size));
            const auto end = request.find("\r\n\r\n");
            const auto at = request.find("Content-Length: ");
            if (length == std::string::npos && end != std::string::npos && at < end) {
                head = end + 4;
                length = std::stoul(request.substr(at + 16));
            }
        }
        bool answer = false;
        {
            const std::lock_guard lock{mutex};
            bodies.push_back(request.substr(head));
            answer = answers;
        }
        changed.notify_all();
        const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        if (answer) (void)::send(socket, ok.data(), ok.size(), MSG_NOSIGNAL);
        else (void)::recv(socket, buffer, sizeof buffer, 0);  // until the caller leaves
    }
    bool wait_for(std::size_t count) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, std::chrono::seconds{60}, [&] { return bodies.size() >= count; });
    }
    std::string url() { return "http://127.0.0.1:" + std::to_string(server.port()) + "/"; }
};

struct Desk {
    test::MemoryLog log;
    test::TemporaryFolder folder;
    projection::LogNames names;
    std::unique_ptr<projection::Projection> projection = std::move(*projection::Projection::open(folder.file("p.sqlite"), log, names));
    projection::Queries queries{*projection, log, names, [](std::string_view, std::string_view) { return crypto::Hash128{}; }};
    SystemClock clock;

    std::unique_ptr<app::CallbackSender> sender(const std::string& url) {
        return std::make_unique<app::CallbackSender>(std::vector<app::Callback>{{.name = "crm", .url = url, .secrets = {"secret"}, .events = {"final"}, .batch = 2}},
                                                     folder.file(""), queries, log, clock);
    }
    void bury(const std::string& letters) {
        std::filesystem::create_directories(folder.file("callbacks"));
        std::ofstream{folder.file("callbacks/crm.dead.ndjson")} << letters;
    }
    bool exists(const std::string& name) { return std::filesystem::exists(folder.file("callbacks/" + name)); }
};

}  // namespace

TEST_CASE("callbacks: dead letters that are to be sent again survive a stop, and go when they are delivered") {
    Desk desk;
    desk.bury("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    Receiver receiver;
    {
        receiver.answers = false;
        const auto sender = desk.sender(receiver.url());
        CHECK(sender->replay("crm") == 3);
        std::string next;
        CHECK(sender->dead_letters("crm", 100, {}, next) == "[]");
        REQUIRE(receiver.wait_for(1));
    }  // while the receiver keeps it waiting
    CHECK(desk.exists("crm.again.ndjson"));
    {
        const std::lock_guard lock{receiver.mutex};
        receiver.answers = true;
        receiver.bodies.clear();
    }
    {
        const auto sender = desk.sender(receiver.url());
        REQUIRE(receiver.wait_for(2));
        const std::lock_guard lock{receiver.mutex};
        CHECK(receiver.bodies[0] == R"([{"n":1},{"n":2}])");
        CHECK(receiver.bodies[1] == R"([{"n":3}])");
    }
}

TEST_CASE("callbacks: a stop does not wait for a receiver that does not answer") {
    Desk desk;
    desk.bury("{\"n\":1}\n");
    Receiver receiver;
    receiver.answers = false;
    auto sender = desk.sender(receiver.url());
    sender->replay("crm");
    REQUIRE(receiver.wait_for(1));
    const auto begun = std::chrono::steady_clock::now();
    sender.reset();
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{10});  // its time-out is 15 s
}
