use cloudevents::{AttributesReader, Data};
use cloudevents_http::{DataKind, attribute, data_kind, new_event, set_attribute, set_data};

#[test]
fn a_new_event_has_the_required_attributes_and_nothing_else() {
    let event = new_event("1", "/shop", "t").expect("valid");
    assert_eq!(
        event.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["specversion", "id", "type", "source"]
    );
    for (id, source, ty, name) in [
        ("", "/s", "t", "id"),
        ("1", "", "t", "source"),
        ("1", "a b", "t", "source"),
        ("1", "/s", "", "type"),
    ] {
        let error = new_event(id, source, ty).expect_err(name);
        assert_eq!(error.attribute(), Some(name));
    }
}

#[test]
fn what_set_attribute_takes_attribute_gives_back() {
    let mut event = new_event("1", "/shop", "t").expect("valid");
    for (name, value, back) in [
        ("specversion", "1.0", "1.0"),
        ("id", "2", "2"),
        ("source", "/ü", "/%C3%BC"),
        ("type", "u", "u"),
        ("subject", "s", "s"),
        ("time", "2018-04-05T03:56:24+00:00", "2018-04-05T03:56:24Z"),
        ("datacontenttype", "text/plain", "text/plain"),
        ("dataschema", "urn:x", "urn:x"),
        ("jobkey", "2251799813685249", "2251799813685249"),
        ("empty", "", ""),
    ] {
        set_attribute(&mut event, name, value).expect(name);
        assert_eq!(attribute(&event, name).as_deref(), Some(back), "{name}");
    }
    for name in ["none", "data", "Id", ""] {
        assert_eq!(attribute(&event, name), None, "{name}");
    }
}

#[test]
fn what_set_attribute_refuses_changes_nothing() {
    let mut event = new_event("1", "/shop", "t").expect("valid");
    set_attribute(&mut event, "subject", "s").expect("valid");
    let before = event.clone();
    for (name, value) in [
        ("specversion", "0.3"),
        ("id", ""),
        ("source", "%"),
        ("type", "\u{0}"),
        ("subject", ""),
        ("time", "now"),
        ("datacontenttype", ""),
        ("dataschema", "x"),
        ("my_ext", "x"),
        ("data", "x"),
        ("ext", "\n"),
    ] {
        let error = set_attribute(&mut event, name, value).expect_err(name);
        assert_eq!(error.attribute(), Some(name));
        assert_eq!(event, before, "{name}");
    }
    let error = set_data(&mut event, Some("nonsense"), "x").expect_err("no media type");
    assert_eq!(error.attribute(), Some("datacontenttype"));
    assert_eq!(event, before);
}

#[test]
fn extensions_have_canonical_strings() {
    let mut event = new_event("1", "/shop", "t").expect("valid");
    event.set_extension("flag", true);
    event.set_extension("number", -7);
    assert_eq!(attribute(&event, "flag").as_deref(), Some("true"));
    assert_eq!(attribute(&event, "number").as_deref(), Some("-7"));
}

#[test]
fn set_data_takes_the_old_type_away() {
    let mut event = new_event("1", "/shop", "t").expect("valid");
    set_data(&mut event, Some("text/plain"), "x").expect("valid");
    set_data(&mut event, None, b"{}".as_slice()).expect("valid");
    assert_eq!(event.datacontenttype(), None);
    assert_eq!(event.data(), Some(&Data::Binary(b"{}".to_vec())));
    assert_eq!(data_kind(&event), Ok(DataKind::Json(b"{}")));
}

#[test]
fn data_held_as_a_tree_has_no_bytes_to_show() {
    let mut event = new_event("1", "/shop", "t").expect("valid");
    event.set_data("application/json", serde_json::json!(1));
    let error = data_kind(&event).expect_err("not bytes");
    assert_eq!(error.attribute(), Some("data"));
    event.set_data("application/json", " 1");
    assert_eq!(data_kind(&event), Ok(DataKind::Json(b"1")));
}
