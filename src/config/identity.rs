//! Who may send.

use eventing::{Pace, Subjects, VerifierSettings, issuer_url};

use super::read::{Reader, shown};

const ISSUER: &str = "BRIDGE_OIDC_ISSUER";
const AUDIENCE: &str = "BRIDGE_OIDC_AUDIENCE";
const SUBJECTS: &str = "BRIDGE_OIDC_ALLOWED_SUBJECTS";
/// What means something only where tokens are asked for: whoever sets one believes that they are.
const DEPENDENT: [&str; 3] = [
    SUBJECTS,
    "BRIDGE_OIDC_CA_CERTIFICATE_PATH",
    "BRIDGE_OIDC_DISCOVERY_TOKEN_PATH",
];

pub(super) fn read(reader: &mut Reader<'_>) -> Option<VerifierSettings> {
    let (issuer, audience) = match (reader.optional(ISSUER), reader.optional(AUDIENCE)) {
        (Some(issuer), Some(audience)) => (issuer, audience),
        (Some(_), None) => {
            reader.problem(
                AUDIENCE,
                "is needed with BRIDGE_OIDC_ISSUER: a token for anybody else would be taken",
            );
            return None;
        }
        (None, Some(_)) => {
            reader.problem(
                ISSUER,
                "is needed with BRIDGE_OIDC_AUDIENCE: it says whose tokens are taken",
            );
            return None;
        }
        (None, None) => {
            for variable in DEPENDENT {
                if reader.is_given(variable) {
                    reader.problem(
                        variable,
                        "does nothing without BRIDGE_OIDC_ISSUER and BRIDGE_OIDC_AUDIENCE; set them, or leave it unset",
                    );
                }
            }
            return None;
        }
    };
    if let Err(why) = issuer_url(&issuer) {
        reader.problem(ISSUER, format!("`{}` {why}", shown(&issuer)));
    }
    let subjects = Subjects::new(reader.list(SUBJECTS)).unwrap_or_else(|subject| {
        reader.problem(
            SUBJECTS,
            format!("`{subject}` has a `*` that is not its last character, where it would stand for nothing"),
        );
        Subjects::default()
    });
    Some(VerifierSettings {
        issuer,
        audience,
        subjects,
        ca_certificate: reader
            .optional("BRIDGE_OIDC_CA_CERTIFICATE_PATH")
            .map(Into::into),
        discovery_token: reader
            .optional("BRIDGE_OIDC_DISCOVERY_TOKEN_PATH")
            .map(Into::into),
        pace: Pace::default(),
    })
}
