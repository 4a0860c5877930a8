//! In which format whoever asks for metrics wants them.

use http::HeaderMap;
use http::header::ACCEPT;

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format, for whoever does not ask for another.
    Text,
    /// OpenMetrics 1.0, which has exemplars.
    OpenMetrics,
}

impl Format {
    /// What the header `Accept` of a request asks for most; of two that it asks for as much, the first. OpenMetrics is
    /// for those alone who name it.
    #[must_use]
    pub fn asked(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter();
        let ranges = ranges.filter_map(|value| value.to_str().ok());
        let mut asked = (Self::Text, 0.0);
        for (format, quality) in ranges.flat_map(|value| value.split(',')).filter_map(read) {
            if quality > asked.1 {
                asked = (format, quality);
            }
        }
        asked.0
    }

    /// The header `Content-Type` of what is written.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A range of media types of which we have one, and its quality from 0 to 1.
fn read(range: &str) -> Option<(Format, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    let (mut version, mut quality) = (None, 1.0);
    // RFC 9110, 5.6.6: a semicolon may have no parameter after it.
    for parameter in parts.filter(|part| !part.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "version" => version = Some(value.trim().trim_matches('"')),
            "q" => quality = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let format = match (media_type.as_str(), version) {
        ("application/openmetrics-text", None | Some("1.0.0")) => Format::OpenMetrics,
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", None) => Format::Text,
        _ => return None,
    };
    (0.0..=1.0).contains(&quality).then_some((format, quality))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// As Prometheus 2.45 and 3.5 ask, the latter also where it takes native histograms.
    const PROMETHEUS: [&str; 3] = [
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ];

    fn asked(accept: &[&'static str]) -> Format {
        let values = accept.iter().copied().map(HeaderValue::from_static);
        Format::asked(&values.map(|value| (ACCEPT, value)).collect())
    }

    #[test]
    fn prometheus_gets_openmetrics() {
        for accept in PROMETHEUS {
            assert_eq!(asked(&[accept]), Format::OpenMetrics, "{accept}");
        }
    }

    #[test]
    fn whoever_does_not_name_openmetrics_gets_text() {
        for accept in [
            "",
            "*/*",
            "application/*",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=much",
            "application/openmetrics-text;q=7",
            "application/openmetrics-text;q=NaN",
        ] {
            assert_eq!(asked(&[accept]), Format::Text, "{accept}");
        }
        assert_eq!(asked(&[]), Format::Text);
    }

    #[test]
    fn who_names_both_gets_what_it_asks_for_more_and_else_the_first() {
        let both = [
            (
                "text/plain;q=0.9, application/openmetrics-text",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;q=0.4, text/plain",
                Format::Text,
            ),
            (
                "application/openmetrics-text, text/plain",
                Format::OpenMetrics,
            ),
            ("text/plain, application/openmetrics-text", Format::Text),
            (
                "application/openmetrics-text; ; version=1.0.0;, text/plain",
                Format::OpenMetrics,
            ),
            ("text/plain;, application/openmetrics-text;", Format::Text),
            (
                "Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.5 , */* ; q=0.4",
                Format::OpenMetrics,
            ),
        ];
        for (accept, format) in both {
            assert_eq!(asked(&[accept]), format, "{accept}");
        }
        let lines = ["text/plain;q=0.2", "application/openmetrics-text;q=0.3"];
        assert_eq!(asked(&lines), Format::OpenMetrics);
    }
}
