//! The generated code is what `proto/gateway.proto` says.
//!
//! `UPDATE_GENERATED=1 cargo test -p zeebe-client --test bootstrap` writes it anew.

use std::fs;
use std::path::Path;

#[test]
fn the_generated_code_is_that_of_the_proto_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = std::env::temp_dir().join(format!("zeebe-client-bootstrap-{}", std::process::id()));
    fs::create_dir_all(&out).expect("a folder for the generated code");
    let descriptors =
        protox::compile(["gateway.proto"], [root.join("proto")]).expect("gateway.proto compiles");
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .server_mod_attribute("gateway_protocol", "#[cfg(feature = \"server\")]")
        .out_dir(&out)
        .compile_fds(descriptors)
        .expect("code is generated");
    let fresh = fs::read_to_string(out.join("gateway_protocol.rs")).expect("the generated code");
    fs::remove_dir_all(&out).expect("the folder can be removed");
    let kept = root.join("src/generated/gateway_protocol.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&kept, &fresh).expect("the generated code can be kept");
    }
    let kept = fs::read_to_string(&kept).unwrap_or_default();
    assert!(
        kept == fresh,
        "src/generated is not what proto/gateway.proto gives; run \
         `UPDATE_GENERATED=1 cargo test -p zeebe-client --test bootstrap`",
    );
}
