//! What a value that is accepted means.

use super::read;

#[test]
fn an_empty_value_is_an_unset_one() {
    let config = read(&[
        ("PORT", ""),
        ("K_SINK", ""),
        ("K_CE_OVERRIDES", ""),
        ("BRIDGE_ADMIN_PORT", " "),
    ])
    .expect("read");
    assert_eq!(config.bind.main.port(), 8080);
    assert!(config.bind.admin.is_none());
    assert!(config.roles.sink && !config.roles.source);
}

#[test]
fn the_roles_follow_from_k_sink_unless_they_are_named() {
    let roles = |variables: &[(&str, &str)]| {
        let roles = read(variables).expect("read").roles;
        (roles.sink, roles.source)
    };
    assert_eq!(roles(&[]), (true, false));
    assert_eq!(roles(&[("K_SINK", "http://broker/")]), (true, true));
    assert_eq!(roles(&[("ROLES", "source")]), (false, true));
    assert_eq!(
        roles(&[("ROLES", "sink"), ("K_SINK", "http://broker/")]),
        (true, false)
    );
    assert_eq!(roles(&[("ROLES", "source, sink")]), (true, true));
}

#[test]
fn the_older_address_is_understood() {
    let address =
        |variables: &[(&str, &str)]| read(variables).expect("read").engine.address.to_string();
    assert_eq!(address(&[]), "http://127.0.0.1:26500");
    assert_eq!(address(&[("ZEEBE_ADDRESS", "z:26500")]), "https://z:26500");
    assert_eq!(
        address(&[
            ("ZEEBE_ADDRESS", "z:26500"),
            ("ZEEBE_INSECURE_CONNECTION", "true")
        ]),
        "http://z:26500"
    );
    assert_eq!(
        address(&[
            ("ZEEBE_ADDRESS", "z:1"),
            ("ZEEBE_GRPC_ADDRESS", "http://y:2/")
        ]),
        "http://y:2"
    );
}
