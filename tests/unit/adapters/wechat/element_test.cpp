#include "adapters/wechat/element.hpp"

#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::wechat;

TEST_CASE("element: texts in CDATA, plain and split are joined byte for byte", "[wechat]") {
    const auto root = read_xml(
        "<?xml version=\"1.0\"?>\n<xml>\n  <A><![CDATA[a<b]]></A><B>1 &lt; 2 &amp; &#x4E2D;</B><C><![CDATA[x]]]]><![CDATA[>y]]></C><D/><E><![CDATA[ "
        "1\r\n2 ]]></E>\n</xml>\n");
    REQUIRE(root);
    CHECK(root->name == "xml");
    CHECK(root->text_of("A") == "a<b");
    CHECK(root->text_of("B") == "1 < 2 & 中");
    CHECK(root->text_of("C") == "x]]>y");
    CHECK(root->text_of("D").empty());
    CHECK(root->child("D") != nullptr);
    CHECK(root->text_of("E") == " 1\r\n2 ");
    CHECK(root->child("F") == nullptr);
}

TEST_CASE("element: as JSON a repeated name is an array and a nested one an object", "[wechat]") {
    const auto root = read_xml("<xml><A>1</A><L><I>x</I></L><L><I>y</I><I>z</I></L><T>drop</T></xml>").value();
    CHECK(to_body_json(root, {"T"}) == R"({"A":"1","L":[{"I":"x"},{"I":["y","z"]}]})");
    CHECK(to_body_json(root, {"A", "L", "T"}) == "{}");
    CHECK(root.all("L").size() == 2);
}

TEST_CASE("element: declarations, strange bytes, several roots and deep trees are refused", "[wechat]") {
    const auto nested = [](int depth) {
        std::string open;
        std::string close;
        for (int i = 0; i < depth; ++i) {
            open += "<a>";
            close += "</a>";
        }
        return open + close;
    };
    CHECK(read_xml(nested(32)));
    CHECK_FALSE(read_xml(nested(33)));
    CHECK_FALSE(read_xml(nested(100'000)));
    CHECK_FALSE(read_xml(std::string(document_bytes_max + 1, ' ').append("<xml/>")));
    for (const std::string bad : {
             "",
             " ",
             "xml",
             "<xml>",
             "<xml></XML>",
             "<xml/><xml/>",
             "<xml/>text",
             "text<xml/>",
             "{}",
             "<!DOCTYPE xml><xml/>",
             "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml>&a;</xml>",
             "<!doctype xml><xml/>",
             "<!ENTITY a \"b\"><xml/>",
             "<xml><!DOCTYPE a></xml>",
             "<xml><!ENTITY a \"b\"></xml>",
             "<xml/><!DOCTYPE xml>",
             "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml/>",
             "<xml>\xFF</xml>",
             "<xml>&#xD800;</xml>",
         }) {
        INFO(bad);
        CHECK_FALSE(read_xml(bad));
    }
    CHECK_FALSE(read_xml(std::string{"<xml>\0</xml>", 12}));
    // What a customer writes is no declaration.
    CHECK(read_xml("<xml><C><![CDATA[<!DOCTYPE html>]]></C></xml>")->text_of("C") == "<!DOCTYPE html>");
}

TEST_CASE("element: a JSON body becomes the same tree", "[wechat]") {
    const auto root = read_json(R"({"MsgType":"event","CreateTime":1893456000,"List":[{"TemplateId":"a"},{"TemplateId":"b"}],"Flag":true})");
    REQUIRE(root);
    CHECK(root->name == "xml");
    CHECK(root->text_of("CreateTime") == "1893456000");
    CHECK(root->all("List").size() == 2);
    CHECK(root->all("List")[1]->text_of("TemplateId") == "b");
    for (const auto* bad : {"", "[]", "7", "{", "{\"a\":1,\"a\":2}"}) CHECK_FALSE(read_json(bad));
    std::string deep = "1";
    for (int i = 0; i < 40; ++i) deep = "{\"a\":" + deep + "}";
    CHECK_FALSE(read_json(deep));
}

TEST_CASE("element: times are seconds, or milliseconds as some senders write", "[wechat]") {
    CHECK(read_unix_time("1893456000") == from_unix_ms(1893456000'000));
    CHECK(read_unix_time("1893456000123") == from_unix_ms(1893456000'123));
    for (const auto* bad : {"", "x", "-1", "1893456000x", "99999999999999999", "99999999999999999999999"}) CHECK_FALSE(read_unix_time(bad));
}
