// A thin owner of SQLite handles. Failures stick to the database: after the first one every statement does nothing, and the caller asks
// `failure()` once at the end of a batch or query, as with ByteReader. One thread at a time per Database.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace touchgate::projection {

class Database;

// A prepared statement; binds by position from 1, reads columns from 0. Text and blobs are bound without a copy: they must live until
// the next `reset` or step to the end.
class Statement {
public:
    Statement() = default;
    Statement(Database& database, std::string_view sql);
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    Statement& bind(int at, std::int64_t value);
    Statement& bind_text(int at, std::string_view value);
    Statement& bind_blob(int at, std::string_view value);
    Statement& bind_real(int at, double value);
    Statement& bind_null(int at);
    // True while there is a row.
    bool step();
    // One execution of a statement without rows; ready for the next binds afterwards.
    void run();
    void reset();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view text(int column) const;  // valid until the next step
    [[nodiscard]] std::string_view blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    Database* database_ = nullptr;
    sqlite3_stmt* statement_ = nullptr;
};

class Database {
public:
    enum class Mode { read, write };
    // Error kinds: unavailable (cannot be opened), corrupt (not a database).
    static Result<std::unique_ptr<Database>> open(const std::string& path, Mode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void execute(const std::string& sql);
    [[nodiscard]] std::int64_t integer(const std::string& sql);  // first column of the first row, 0 without one
    // The first failure since opening, kind corrupt where the file is damaged.
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    void forget_failure() { failure_.reset(); }

private:
    friend class Statement;
    explicit Database(sqlite3* handle) : handle_{handle} {}
    void fail(int code);
    sqlite3* handle_;
    std::optional<Error> failure_;
};

}  // namespace touchgate::projection
