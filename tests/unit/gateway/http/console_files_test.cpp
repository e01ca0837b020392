#include "gateway/http/console_files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/gateway/http/live_server.hpp"

using namespace touchgate;
using namespace touchgate::http;
using namespace touchgate::test;

namespace {

namespace fs = std::filesystem;

// A folder of its own, gone with the test.
class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "console-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream{path / name, std::ios::binary} << text;
    }

    fs::path path;
};

std::string header(const Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers)
        if (each == name) return value;
    return {};
}

struct BuiltFolder : Folder {
    BuiltFolder() {
        write("index.html", "<html>desk</html>");
        write("sidebar.html", "<html>sidebar</html>");
        write("assets/desk-a1b2c3.js", "run()");
        write("assets/desk-a1b2c3.css", "p{}");
        write("assets/mark-d4e5.svg", "<svg/>");
        write("assets/strange.bin", "?");
    }
};

}  // namespace

TEST_CASE("console: each file has its type, assets are kept for ever, pages are asked for anew") {
    const BuiltFolder folder;
    ConsoleFiles files{folder.path.string()};
    const auto [path, type, cache] = GENERATE(table<std::string, std::string, std::string>({
        {"", "text/html; charset=utf-8", "no-cache"},
        {"index.html", "text/html; charset=utf-8", "no-cache"},
        {"sidebar.html", "text/html; charset=utf-8", "no-cache"},
        {"assets/desk-a1b2c3.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
        {"assets/desk-a1b2c3.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
        {"assets/mark-d4e5.svg", "image/svg+xml", "public, max-age=31536000, immutable"},
        {"assets/strange.bin", "application/octet-stream", "public, max-age=31536000, immutable"},
    }));
    INFO(path);
    const auto response = files.answer(path, {}, Language::english);
    CHECK(response.status == 200);
    CHECK(response.content_type == type);
    CHECK(header(response, "Cache-Control") == cache);
    CHECK(header(response, "Content-Security-Policy") == console_security_policy);
    CHECK(header(response, "X-Content-Type-Options") == "nosniff");
    CHECK(header(response, "Referrer-Policy") == "no-referrer");
    CHECK(header(response, "Permissions-Policy").starts_with("microphone=(self)"));
}

TEST_CASE("console: the policy allows no inline script, no evaluation and no source outside") {
    for (const auto* word : {"unsafe-inline", "unsafe-eval", "http:", "https:", "data:", " *"}) {
        INFO(word);
        CHECK(console_security_policy.find(word) == std::string_view::npos);
    }
}

TEST_CASE("console: an unchanged file is not sent again, a changed one is") {
    const BuiltFolder folder;
    ConsoleFiles files{folder.path.string()};
    const auto etag = header(files.answer("", {}, Language::english), "ETag");
    REQUIRE(etag.size() == 34);
    for (const auto& given : {etag, "W/" + etag, "\"other\", " + etag, std::string{"*"}}) {
        INFO(given);
        const auto again = files.answer("index.html", given, Language::english);
        CHECK(again.status == 304);
        CHECK(again.body.empty());
        CHECK(header(again, "ETag") == etag);
    }
    CHECK(files.answer("", "\"other\"", Language::english).status == 200);
    CHECK(files.answer("sidebar.html", etag, Language::english).status == 200);

    folder.write("index.html", "<html>newer</html>");
    fs::last_write_time(folder.path / "index.html", fs::last_write_time(folder.path / "index.html") + std::chrono::seconds{2});
    const auto newer = files.answer("", etag, Language::english);
    CHECK(newer.status == 200);
    CHECK(newer.body == "<html>newer</html>");
}

TEST_CASE("console: no path leads out of the folder") {
    const BuiltFolder folder;
    const auto outside = folder.path.parent_path() / (folder.path.filename().string() + ".secret");
    std::ofstream{outside} << "secret";
    fs::create_symlink(outside, folder.path / "link.txt");
    fs::create_directory_symlink(folder.path.parent_path(), folder.path / "up");
    ConsoleFiles files{folder.path.string()};
    const auto name = outside.filename().string();
    const std::vector<std::string> paths{"../" + name, outside.string(), "link.txt", "up/" + name, "assets/../index.html", "./index.html", "assets",
                                         "assets/", "/index.html", "..", "../../etc/passwd", std::string{"index.html\0.js", 14}};
    for (const auto& path : paths) {
        INFO(path);
        CHECK(files.answer(path, {}, Language::english).status == 404);
    }
    fs::remove(outside);
}

TEST_CASE("console: a page in the caller's language says that it was not built, until it is") {
    const Folder folder;
    ConsoleFiles files{folder.path.string()};
    const auto english = files.answer("", {}, Language::english);
    CHECK(english.status == 404);
    CHECK(english.content_type == "text/html; charset=utf-8");
    CHECK(english.body.find("was not built") != std::string::npos);
    CHECK(files.answer("", {}, Language::chinese).body.find("尚未构建") != std::string::npos);
    CHECK(ConsoleFiles{""}.answer("", {}, Language::english).status == 404);
    CHECK(ConsoleFiles{"/nonexistent"}.answer("", {}, Language::english).status == 404);

    folder.write("index.html", "<html>desk</html>");
    CHECK(files.answer("", {}, Language::english).status == 200);
    fs::remove(folder.path / "index.html");  // a new one is about to take its place
    CHECK(files.answer("", {}, Language::english).status == 200);
}

TEST_CASE("console: the server gives the files without a key") {
    const BuiltFolder folder;
    HttpOptions options;
    options.console_dir = folder.path.string();
    LiveServer live{options};
    Client client{live.port()};
    client.key.clear();
    const auto index = client.request("GET", "/console/");
    CHECK(index.status == 200);
    CHECK(index.body == "<html>desk</html>");
    CHECK(index.header("content-security-policy") == console_security_policy);
    CHECK(client.request("GET", "/console/assets/desk-a1b2c3.js").header("content-type") == "text/javascript; charset=utf-8");
    const auto unchanged = client.request("GET", "/console/", {}, "If-None-Match: " + index.header("etag") + "\r\n");
    CHECK(unchanged.status == 304);
    CHECK(unchanged.header("content-length").empty());
    CHECK(client.request("GET", "/console").header("location") == "/console/");
    for (const auto* path : {"/console/../config/demo.json", "/console/%2e%2e/%2e%2e/etc/passwd", "/console/assets/%2e%2e%2findex.html",
                             "/console/none.js", "/console/%zz"}) {
        INFO(path);
        CHECK(client.request("GET", path).status == 404);
    }
    CHECK(client.request("POST", "/console/", "{}").status == 405);
}
