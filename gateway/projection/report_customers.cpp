// The report `rfm`: customers by how recently, how often and for how much they bought, each scored from 1 to 5.
#include "gateway/base/currency.hpp"
#include "gateway/measure/scores.hpp"
#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

struct Customers {
    std::vector<double> last_ms, orders, units;  // parallel
};

struct Cells {
    std::int64_t customers = 0, orders = 0, units = 0;
    double days = 0;
};

}  // namespace

void fill_customers(Database& database, const Parsed& parsed, Report& report) {
    const auto now = parsed.span.to.value_or(from_unix_ms(database.integer("SELECT time FROM cursor")));
    std::map<std::string, Customers> by_currency;
    {
        // Whoever was only seen, without an amount, bought nothing; a kind that is asked for counts as it is.
        Statement select{database,
                         "SELECT v.currency, max(v.at), count(*), sum(v.value_cents), c.unit FROM conversions v LEFT JOIN contacts c ON c.number = v.contact "
                         "WHERE v.at >= ?1 AND v.at < ?2 AND (v.kind = ?3 OR (?3 = '' AND v.value_cents <> 0)) GROUP BY v.currency, v.contact ORDER BY v.currency, v.contact"};
        const auto kind = parsed.parameter("kind");
        select.bind(1, parsed.span.from ? unix_ms(*parsed.span.from) : 0).bind(2, parsed.span.to ? unix_ms(*parsed.span.to) : unix_ms(instant_never)).bind_text(3, kind);
        const Visibility wanted{.addresses = false, .content = false, .units = parsed.filter.unit.empty() ? std::vector<std::string>{} : std::vector{parsed.filter.unit}};
        while (select.step()) {
            if (!parsed.filter.visibility.covers(select.text(4)) || !wanted.covers(select.text(4))) continue;
            auto& customers = by_currency[std::string{select.text(0)}];
            customers.last_ms.push_back(static_cast<double>(select.integer(1)));
            customers.orders.push_back(static_cast<double>(select.integer(2)));
            customers.units.push_back(static_cast<double>(select.integer(3)));
        }
    }
    const bool several = by_currency.size() > 1;
    report.columns = {{"recency", "近度"}, {"frequency", "频度"}, {"monetary", "额度"}};
    if (several) report.columns.push_back({"currency", "币种"});
    for (auto column : std::initializer_list<ReportColumn>{{"customers", "客户数"}, {"orders", "订单数"}, {"value", "金额"}, {"days_since_last", "平均距上次天数"}})
        report.columns.push_back(std::move(column));
    std::int64_t customers_in_all = 0, orders_in_all = 0, units_in_all = 0;
    for (const auto& [currency, customers] : by_currency) {
        const auto recency = measure::fifths(customers.last_ms);
        const auto frequency = measure::fifths(customers.orders);
        const auto monetary = measure::fifths(customers.units);
        std::map<std::array<std::int64_t, 3>, Cells, std::greater<>> rows;  // the best first
        for (std::size_t i = 0; i < recency.size(); ++i) {
            auto& row = rows[{recency[i], frequency[i], monetary[i]}];
            ++row.customers;
            row.orders += static_cast<std::int64_t>(customers.orders[i]);
            row.units += static_cast<std::int64_t>(customers.units[i]);
            row.days += (static_cast<double>(unix_ms(now)) - customers.last_ms[i]) / static_cast<double>(one_day.count());
        }
        for (const auto& [scores, row] : rows) {
            std::vector<Cell> cells(scores.begin(), scores.end());
            if (several) cells.emplace_back(currency);
            cells.emplace_back(row.customers);
            cells.emplace_back(row.orders);
            cells.emplace_back(Money{row.units, currency_digits(currency)});
            cells.emplace_back(row.days / static_cast<double>(row.customers));
            report.rows.push_back(std::move(cells));
            customers_in_all += row.customers;
            orders_in_all += row.orders;
            units_in_all += row.units;
        }
    }
    report.totals = {{"customers", customers_in_all}, {"orders", orders_in_all}};
    if (!several) report.totals.emplace_back("value", Money{units_in_all, by_currency.empty() ? 2 : currency_digits(by_currency.begin()->first)});
    report.totals.emplace_back("as_of", format_instant(now));
}

}  // namespace touchgate::projection
