use crate::Want::{Bytes, Is, Json, Malformed, NoData, Refused, Unset};
use crate::{Want, check, read_structured};

/// Reads an event of the required attributes and `more` members.
fn read(more: &str) -> Result<cloudevents_http::Event, cloudevents_http::Error> {
    read_structured(&format!(
        r#"{{"specversion":"1.0","id":"1","source":"/shop","type":"t"{more}}}"#
    ))
}

#[test]
fn reading() {
    #[rustfmt::skip] // a row is a line
    let rows: &[(&str, &str, Want)] = &[
        // -- JSON 2.2 types
        ("2.2 Boolean", r#","ext":true"#, Is("ext", "true")),
        ("2.2 Integer", r#","ext":-42"#, Is("ext", "-42")),
        ("2.2 Integer: zero has no sign", r#","ext":-0"#, Is("ext", "0")),
        ("2.2 Integer: the greatest", r#","ext":2147483647"#, Is("ext", "2147483647")),
        ("2.2 Integer: the least", r#","ext":-2147483648"#, Is("ext", "-2147483648")),
        ("CE Integer: MUST be in range", r#","ext":2147483648"#, Refused("ext")),
        ("CE Integer: MUST be in range, below", r#","ext":-2147483649"#, Refused("ext")),
        ("CE Integer: MUST be in range, far", r#","ext":123456789012345678901234567890"#, Refused("ext")),
        ("2.2 only the integer component", r#","ext":1.0"#, Refused("ext")),
        ("2.2 no exponent", r#","ext":1e3"#, Refused("ext")),
        ("2.2 no array is an attribute", r#","ext":["a"]"#, Refused("ext")),
        ("2.2 no object is an attribute", r#","ext":{"a":1}"#, Refused("ext")),
        ("2.2 String", r#","ext":"a\u00e9\ud83d\ude00\/""#, Is("ext", "aé😀/")),
        ("2.2 a context attribute is a string", r#","subject":5"#, Refused("subject")),
        ("2.2 time is a string", r#","time":1523000000"#, Refused("time")),
        ("2.2 null MUST be treated as unset", r#","subject":null"#, Unset("subject")),
        ("2.2 null extension", r#","ext":null"#, Unset("ext")),
        ("2.2 null time", r#","time":null"#, Unset("time")),
        ("2.2 null datacontenttype implies JSON", r#","datacontenttype":null,"data":"x""#, Json("\"x\"")),
        ("CE String: no control characters", r#","subject":"a\u0000""#, Refused("subject")),
        ("CE String: no noncharacters", r#","ext":"\uffff""#, Refused("ext")),
        ("CE String: no unpaired surrogates", r#","ext":"\uDEAD""#, Refused("ext")),
        // -- CE rules that hold in every mode
        ("CE subject MUST be non-empty", r#","subject":"""#, Refused("subject")),
        ("CE dataschema MUST be a URI", r#","dataschema":"schema""#, Refused("dataschema")),
        ("CE datacontenttype MUST adhere to RFC 2046", r#","datacontenttype":"json""#, Refused("datacontenttype")),
        ("CE time MUST be RFC 3339", r#","time":"2018-04-05""#, Refused("time")),
        ("CE names: upper case", r#","Ext":"x""#, Refused("Ext")),
        ("CE names: null or not", r#","my_ext":null"#, Refused("my_ext")),
        ("CE names: empty", r#","":"x""#, Refused("")),
        ("CE names: an escape is a spelling", r#","\u0065xt":"x""#, Is("ext", "x")),
        // -- at most once, however it is spelled
        ("CE at most once", r#","id":"2""#, Refused("id")),
        ("CE at most once: extensions", r#","ext":1,"ext":1"#, Refused("ext")),
        ("CE at most once: escaped", r#","ext":1,"\u0065xt":1"#, Refused("ext")),
        ("CE at most once: null too", r#","subject":null,"subject":"a""#, Refused("subject")),
        ("CE at most once: null after", r#","ext":"a","ext":null"#, Refused("ext")),
        ("CE at most once: null twice", r#","ext":null,"ext":null"#, Refused("ext")),
        ("CE at most once: data", r#","data":1,"data":1"#, Refused("data")),
        ("CE at most once: data_base64", r#","data_base64":"","data_base64":"""#, Refused("data_base64")),
        // -- JSON 3.1.2 data
        ("3.1.2 JSON stays as it was sent", r#","data": {"a": 1.0, "b":[12345678901234567890, 1E400],"a":0} "#, Json(r#"{"a": 1.0, "b":[12345678901234567890, 1E400],"a":0}"#)),
        ("3.1.2 declared JSON", r#","datacontenttype":"application/JSON; v=1","data":[1]"#, Json("[1]")),
        ("3.1.2 any +json", r#","data":{},"datacontenttype":"application/x+json""#, Json("{}")),
        ("3.1.2 a string MUST NOT be parsed further", r#","datacontenttype":"application/json","data":"{\"a\":1}""#, Json(r#""{\"a\":1}""#)),
        ("3.1.1 data MAY be null", r#","datacontenttype":"application/json","data":null"#, Json("null")),
        ("3.1.2 no datacontenttype: as if application/json", r#","data":"I'm just a string""#, Json("\"I'm just a string\"")),
        ("3.1.2 which is then set", r#","data":1"#, Is("datacontenttype", "application/json")),
        ("without data nothing is implied", "", Unset("datacontenttype")),
        ("3.1.2 other types: the string's content", r#","datacontenttype":"application/xml","data":"<much wow=\"xml\"/>\n""#, Bytes(b"<much wow=\"xml\"/>\n")),
        ("3.1.2 wherever datacontenttype stands", r#","data":"a\u00e9","datacontenttype":"text/plain""#, Bytes("aé".as_bytes())),
        ("3.1.2 other types, no string: the JSON text", r#","datacontenttype":"text/plain","data":{"a":1}"#, Bytes(b"{\"a\":1}")),
        ("other types have no null", r#","datacontenttype":"text/plain","data":null"#, NoData),
        ("3.1.2 a string of half a character", r#","datacontenttype":"text/plain","data":"\ud800""#, Refused("data")),
        ("empty data is no data", r#","datacontenttype":"text/plain","data":"""#, NoData),
        ("no data", "", NoData),
        // -- JSON 3.1.2 data_base64
        ("3.1.2 MUST decode", r#","datacontenttype":"image/png","data_base64":"AP8=""#, Bytes(b"\x00\xff")),
        ("3.1.2 MAY interpret further", r#","datacontenttype":"application/json","data_base64":"eyJhIjoxfQ==""#, Json("{\"a\":1}")),
        ("3.1.2 without a type: by what it is", r#","data_base64":"AP8=""#, Bytes(b"\x00\xff")),
        ("3.1.2 escapes in the string", r#","data_base64":"\u0041P8=""#, Bytes(b"\x00\xff")),
        ("null is unset", r#","data":1,"data_base64":null"#, Json("1")),
        ("3.1.1 mutually exclusive", r#","data":1,"data_base64":"AP8=""#, Refused("data_base64")),
        ("3.1.1 mutually exclusive: null is data", r#","data_base64":"AP8=","data":null"#, Refused("data_base64")),
        ("RFC 4648: padding", r#","data_base64":"AP8""#, Refused("data_base64")),
        ("RFC 4648: alphabet", r#","data_base64":"A_8=""#, Refused("data_base64")),
        ("RFC 4648: bits left over", r#","data_base64":"AP9=""#, Refused("data_base64")),
        ("base64 is a string", r#","data_base64":5"#, Refused("data_base64")),
        // -- source is one in every mode
        ("source keeps its encodings", r#","ext":"x""#, Is("source", "/shop")),
    ];
    for (row, more, want) in rows {
        check(row, *want, read(more));
    }
}

#[test]
fn source_has_the_spelling_it_has_in_binary_mode() {
    for (source, want) in [
        ("/a%20b/%C3%BC", Is("source", "/a%20b/%C3%BC")),
        ("/a%20b/ü", Is("source", "/a%20b/%C3%BC")),
        (
            "https://example.com/x?q=[1]#f",
            Is("source", "https://example.com/x?q=[1]#f"),
        ),
        ("/a b", Refused("source")),
        ("/100%", Refused("source")),
        ("", Refused("source")),
    ] {
        let body = format!(r#"{{"specversion":"1.0","id":"1","source":"{source}","type":"t"}}"#);
        check(source, want, read_structured(&body));
    }
}

#[test]
fn the_envelope_is_one_json_object() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("an array", "[]", Malformed),
        ("nothing", "", Malformed),
        ("a string", "\"x\"", Malformed),
        ("half an object", r#"{"specversion":"1.0""#, Malformed),
        ("something behind it", r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"} x"#, Malformed),
        ("a trailing comma", r#"{"specversion":"1.0",}"#, Malformed),
        ("no members", "{}", Refused("specversion")),
        ("no id", r#"{"specversion":"1.0","source":"/s","type":"t"}"#, Refused("id")),
        ("null id", r#"{"specversion":"1.0","id":null,"source":"/s","type":"t"}"#, Refused("id")),
        ("empty id", r#"{"specversion":"1.0","id":"","source":"/s","type":"t"}"#, Refused("id")),
        ("no source", r#"{"specversion":"1.0","id":"1","type":"t"}"#, Refused("source")),
        ("no type", r#"{"specversion":"1.0","id":"1","source":"/s"}"#, Refused("type")),
        ("empty type", r#"{"specversion":"1.0","id":"1","source":"/s","type":""}"#, Refused("type")),
        ("null specversion", r#"{"specversion":null,"id":"1","source":"/s","type":"t"}"#, Refused("specversion")),
        ("0.3", r#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#, Refused("specversion")),
        ("a number", r#"{"specversion":1.0,"id":"1","source":"/s","type":"t"}"#, Refused("specversion")),
        ("white space around", " \n{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}\t", Is("id", "1")),
    ];
    for (row, body, want) in rows {
        check(row, want, read_structured(body));
    }
}

#[test]
fn headers_beside_a_structured_event_do_not_count() {
    // HTTP 3.2.3: they MAY be there; the payload MUST have all attributes.
    let headers = crate::headers(&[
        ("content-type", b"application/cloudevents+json"),
        ("ce-id", b"other"),
        ("ce-foo-bar", b"x"),
    ]);
    let body = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
    let result = cloudevents_http::decode(&headers, body.into(), &Default::default());
    check("3.2.3", Is("id", "1"), crate::one(result));
}

#[test]
fn data_as_deep_as_you_like_is_read() {
    let depth = 100_000;
    let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let event = read(&format!(r#","data":{data}"#)).expect("nothing recurses");
    assert_eq!(
        cloudevents_http::data_kind(&event),
        Ok(cloudevents_http::DataKind::Json(data.as_bytes()))
    );
}

#[test]
fn the_same_name_twice_among_many_is_found() {
    let many: String = (0..40).map(|n| format!(r#","x{n}":{n}"#)).collect();
    check("all different", Is("x39", "39"), read(&many));
    check(
        "one twice",
        Refused("x7"),
        read(&format!(r#"{many},"x7":1"#)),
    );
}
