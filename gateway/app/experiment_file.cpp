#include "gateway/app/experiment_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

#include "gateway/app/csv_records.hpp"
#include "gateway/base/text.hpp"
#include "gateway/projection/report_uplift.hpp"

namespace touchgate::app {

namespace {

// A file's bytes without a copy: the system reads them as they are looked at and may forget them again.
class MappedFile {
public:
    explicit MappedFile(const std::string& path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) {
            error_ = std::strerror(errno);
            return;
        }
        struct stat status {};
        if (::fstat(file, &status) != 0) error_ = std::strerror(errno);
        else if (!S_ISREG(status.st_mode)) error_ = "is no regular file";
        else if (status.st_size > 0) {
            size_ = static_cast<std::size_t>(status.st_size);
            data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            if (data_ == MAP_FAILED) error_ = std::strerror(errno);
            else ::madvise(data_, size_, MADV_SEQUENTIAL);
        }
        ::close(file);
    }
    ~MappedFile() {
        if (data_ != MAP_FAILED) ::munmap(data_, size_);
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    [[nodiscard]] const std::string& error() const { return error_; }
    [[nodiscard]] std::string_view bytes() const { return data_ == MAP_FAILED ? std::string_view{} : std::string_view{static_cast<const char*>(data_), size_}; }

private:
    void* data_ = MAP_FAILED;
    std::size_t size_ = 0;
    std::string error_;
};

std::optional<double> number_in(std::string_view text) {
    text = trim(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

}  // namespace

Result<projection::Report> report_of_experiment(const ExperimentFile& file) {
    const MappedFile mapped{file.path};
    if (!mapped.error().empty()) return Error{ErrorKind::unavailable, file.path + ": " + mapped.error()};
    auto source = mapped.bytes();
    if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
    CsvPlace place;
    std::vector<std::string> header, fields;
    std::string_view raw;
    if (!next_csv_record(source, ',', place, header, raw)) return invalid("", file.path + " is empty");
    std::vector<Problem> problems;
    const auto column = [&](const std::string& name) {
        const auto found = std::find_if(header.begin(), header.end(), [&](const std::string& each) { return trim(each) == name; });
        if (found == header.end()) problems.push_back({"", "the file has no column \"" + name + "\""});
        return static_cast<std::size_t>(found - header.begin());
    };
    const auto arm_column = column(file.arm);
    std::vector<std::size_t> outcome_columns;
    for (const auto& name : file.outcomes) outcome_columns.push_back(column(name));
    if (file.outcomes.empty()) problems.push_back({"", "name at least one column with an outcome"});
    if (!problems.empty()) return Error{ErrorKind::invalid_input, file.path + " does not fit", std::move(problems)};

    std::map<std::string, std::vector<measure::Moments>> arms;
    std::int64_t people = 0;
    while (true) {
        const auto line = place.line;
        if (!next_csv_record(source, ',', place, fields, raw)) break;
        if (fields.size() == 1 && trim(fields[0]).empty()) continue;
        if (fields.size() != header.size())
            return invalid("", file.path + " line " + std::to_string(line) + ": has " + std::to_string(fields.size()) + " fields in place of " + std::to_string(header.size()));
        auto& moments = arms[std::string{trim(fields[arm_column])}];
        moments.resize(outcome_columns.size());
        ++people;
        for (std::size_t i = 0; i < outcome_columns.size(); ++i) {
            const auto value = number_in(fields[outcome_columns[i]]);
            if (!value) return invalid("", file.path + " line " + std::to_string(line) + ": " + file.outcomes[i] + " is no number: \"" + fields[outcome_columns[i]] + "\"");
            moments[i].add(*value);
        }
    }
    const auto control = arms.find(file.control);
    if (control == arms.end()) {
        std::string known;
        for (const auto& [arm, moments] : arms) known.append(known.empty() ? "\"" : ", \"").append(arm).append("\"");
        return invalid("", "no line has \"" + file.control + "\" in the column " + file.arm + "; there are: " + known);
    }
    projection::Report report;
    report.name = "uplift";
    report.tz = "UTC";
    report.filters = {{"input", file.path}, {"arm", file.arm}, {"control", file.control}};
    report.columns = projection::uplift_columns(false);
    for (const auto& [arm, moments] : arms) {
        if (arm == file.control) continue;
        for (std::size_t i = 0; i < moments.size(); ++i)
            report.rows.push_back(projection::uplift_row(arm, file.control, file.outcomes[i], measure::compare(moments[i], control->second[i])));
    }
    // A file tells no shares, so there is nothing to hold the sizes against.
    report.totals = {{"srm_p_value", {}}, {"assigned", people}, {"assigned_by", std::string{"given"}}};
    return report;
}

}  // namespace touchgate::app
