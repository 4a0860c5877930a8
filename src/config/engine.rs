//! How the engine is reached, by the names of Camunda's own clients.

use zeebe_client::{Address, ClientIdentity, Credentials, OAuth, Secret, Settings};

use super::read::{Reader, shown};

pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
    let address = address(reader);
    let host = address.host().to_owned();
    let mut settings = Settings::new(address);
    settings.ca_certificate = reader.file("ZEEBE_CA_CERTIFICATE_PATH");
    settings.client_identity = identity(reader);
    settings.override_authority = reader.optional("ZEEBE_OVERRIDE_AUTHORITY");
    settings.credentials = credentials(reader, &host);
    settings.keep_alive = reader.millis("ZEEBE_KEEP_ALIVE", 10_000, 3_600_000);
    settings.call_timeout = reader.millis("BRIDGE_CALL_TIMEOUT_MS", 100, 600_000);
    settings
}

fn address(reader: &mut Reader<'_>) -> Address {
    let insecure = reader.flag("ZEEBE_INSECURE_CONNECTION");
    let (variable, text) = match (
        reader.is_given("ZEEBE_GRPC_ADDRESS"),
        reader.optional("ZEEBE_ADDRESS"),
    ) {
        (false, Some(older)) => {
            let scheme = if insecure { "http" } else { "https" };
            ("ZEEBE_ADDRESS", format!("{scheme}://{older}"))
        }
        (true, Some(_) | None) | (false, None) => {
            ("ZEEBE_GRPC_ADDRESS", reader.text("ZEEBE_GRPC_ADDRESS"))
        }
    };
    if variable == "ZEEBE_GRPC_ADDRESS" && insecure && text.starts_with("https:") {
        reader.problem(
            "ZEEBE_INSECURE_CONNECTION",
            "is `true`, but ZEEBE_GRPC_ADDRESS begins with https; the scheme decides: write http:// or drop the flag",
        );
    }
    text.parse().unwrap_or_else(|error| {
        reader.problem(variable, format!("`{}` {error}", shown(&text)));
        "http://127.0.0.1:26500"
            .parse()
            .unwrap_or_else(|_| unreachable!("a constant address"))
    })
}

fn identity(reader: &mut Reader<'_>) -> Option<ClientIdentity> {
    let certificate = reader.file("ZEEBE_CLIENT_CERTIFICATE_PATH");
    let key = reader.file("ZEEBE_CLIENT_KEY_PATH");
    match (
        reader.is_given("ZEEBE_CLIENT_CERTIFICATE_PATH"),
        reader.is_given("ZEEBE_CLIENT_KEY_PATH"),
    ) {
        (true, false) => reader.problem(
            "ZEEBE_CLIENT_KEY_PATH",
            "is needed with ZEEBE_CLIENT_CERTIFICATE_PATH",
        ),
        (false, true) => reader.problem(
            "ZEEBE_CLIENT_CERTIFICATE_PATH",
            "is needed with ZEEBE_CLIENT_KEY_PATH",
        ),
        (true, true) | (false, false) => {}
    }
    let key = String::from_utf8(key?)
        .map_err(|_| reader.problem("ZEEBE_CLIENT_KEY_PATH", "is not a PEM file"))
        .ok()?;
    Some(ClientIdentity {
        certificate: certificate?,
        key: Secret::new(key),
    })
}

fn credentials(reader: &mut Reader<'_>, host: &str) -> Credentials {
    let client_id = reader.optional("ZEEBE_CLIENT_ID");
    let client_secret = reader.optional("ZEEBE_CLIENT_SECRET");
    let username = reader.optional("ZEEBE_BASIC_AUTH_USERNAME");
    let password = reader.optional("ZEEBE_BASIC_AUTH_PASSWORD");
    if (client_id.is_some() || client_secret.is_some())
        && (username.is_some() || password.is_some())
    {
        reader.problem(
            "ZEEBE_BASIC_AUTH_USERNAME",
            "and ZEEBE_CLIENT_ID are both set; use one kind of credentials",
        );
    }
    match (client_id, client_secret) {
        (Some(client_id), Some(client_secret)) => {
            return oauth(reader, client_id, client_secret, host);
        }
        (Some(_), None) => reader.problem("ZEEBE_CLIENT_SECRET", "is needed with ZEEBE_CLIENT_ID"),
        (None, Some(_)) => reader.problem("ZEEBE_CLIENT_ID", "is needed with ZEEBE_CLIENT_SECRET"),
        (None, None) => {}
    }
    match (username, password) {
        (Some(username), Some(password)) => {
            return Credentials::Basic {
                username,
                password: Secret::new(password),
            };
        }
        (Some(_), None) => reader.problem(
            "ZEEBE_BASIC_AUTH_PASSWORD",
            "is needed with ZEEBE_BASIC_AUTH_USERNAME",
        ),
        (None, Some(_)) => reader.problem(
            "ZEEBE_BASIC_AUTH_USERNAME",
            "is needed with ZEEBE_BASIC_AUTH_PASSWORD",
        ),
        (None, None) => {}
    }
    Credentials::None
}

fn oauth(
    reader: &mut Reader<'_>,
    client_id: String,
    client_secret: String,
    host: &str,
) -> Credentials {
    let text = reader.text("ZEEBE_AUTHORIZATION_SERVER_URL");
    match text.parse::<http::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => {
            Credentials::OAuth(OAuth {
                authorization_server: uri,
                client_id,
                client_secret: Secret::new(client_secret),
                audience: reader
                    .optional("ZEEBE_TOKEN_AUDIENCE")
                    .or_else(|| Some(host.to_owned())),
                scope: reader.optional("ZEEBE_TOKEN_SCOPE"),
            })
        }
        Ok(_) | Err(_) => {
            reader.problem(
                "ZEEBE_AUTHORIZATION_SERVER_URL",
                "is not the URL of a token endpoint, https://HOST/PATH",
            );
            Credentials::None
        }
    }
}
