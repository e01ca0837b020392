#include "gateway/projection/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

namespace touchgate::projection {

Statement::Statement(Database& database, std::string_view sql) : database_{&database} {
    if (database.failure_) return;
    const int code = sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
    if (code != SQLITE_OK) database.fail(code);
}

Statement::Statement(Statement&& other) noexcept
    : database_{std::exchange(other.database_, nullptr)}, statement_{std::exchange(other.statement_, nullptr)} {}

Statement& Statement::operator=(Statement&& other) noexcept {
    std::swap(database_, other.database_);
    std::swap(statement_, other.statement_);
    return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int at, std::int64_t value) {
    if (statement_ != nullptr) sqlite3_bind_int64(statement_, at, value);
    return *this;
}

Statement& Statement::bind_real(int at, double value) {
    if (statement_ != nullptr) sqlite3_bind_double(statement_, at, value);
    return *this;
}

Statement& Statement::bind_text(int at, std::string_view value) {
    if (statement_ != nullptr) sqlite3_bind_text(statement_, at, value.empty() ? "" : value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    return *this;
}

Statement& Statement::bind_blob(int at, std::string_view value) {
    if (statement_ != nullptr) sqlite3_bind_blob(statement_, at, value.empty() ? "" : value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    return *this;
}

Statement& Statement::bind_null(int at) {
    if (statement_ != nullptr) sqlite3_bind_null(statement_, at);
    return *this;
}

bool Statement::step() {
    if (statement_ == nullptr || database_->failure_) return false;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_->fail(code);
    return false;
}

void Statement::run() {
    step();
    reset();
}

void Statement::reset() {
    if (statement_ != nullptr) sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text == nullptr ? std::string_view{} : std::string_view{text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return bytes == nullptr ? std::string_view{} : std::string_view{bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Mode mode) {
    sqlite3* handle = nullptr;
    const int flags = mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<Database> database{new Database{handle}};
    if (code != SQLITE_OK) return Error{ErrorKind::unavailable, path + " cannot be opened: " + sqlite3_errstr(code)};
    sqlite3_busy_timeout(handle, 5'000);
    // Reads the header, so that a file which is no database is found here.
    (void)database->integer("PRAGMA schema_version");
    if (database->failure_) return *database->failure_;
    return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::execute(const std::string& sql) {
    if (failure_) return;
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::integer(const std::string& sql) {
    Statement statement{*this, sql};
    return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(int code) {
    if (failure_) return;
    const int primary = code & 0xFF;
    // SQLITE_ERROR while preparing means a missing table or column: the file is not what this program wrote.
    const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR || primary == SQLITE_CONSTRAINT;
    failure_ = Error{damaged ? ErrorKind::corrupt : ErrorKind::unavailable, std::string{"projection database: "} + sqlite3_errmsg(handle_)};
}

}  // namespace touchgate::projection
