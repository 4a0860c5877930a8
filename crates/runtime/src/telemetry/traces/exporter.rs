//! OTLP by gRPC or by HTTP.

use std::collections::HashMap;
use std::path::Path;

use ::http::HeaderMap;
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{
    Compression, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::http::Client;
use crate::telemetry::otel::{Collector, Protocol};

/// Makes the exporter; must be called inside the runtime that it will be used in.
pub(super) fn build(collector: &Collector) -> Result<SpanExporter, String> {
    let built = match collector.protocol {
        Protocol::Grpc => {
            let mut builder = SpanExporter::builder()
                .with_tonic()
                .with_channel(channel(collector)?)
                .with_metadata(MetadataMap::from_headers(headers(collector)))
                .with_timeout(collector.timeout);
            if collector.gzip {
                builder = builder.with_compression(Compression::Gzip);
            }
            builder.build()
        }
        Protocol::HttpProtobuf => {
            let roots = match &collector.ca_certificate {
                Some(path) => certificates(&pem(path)?)?,
                None => Vec::new(),
            };
            let mut builder = SpanExporter::builder()
                .with_http()
                .with_http_client(Client::new(roots, collector.timeout)?)
                .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                .with_endpoint(&collector.endpoint)
                .with_headers(HashMap::from_iter(collector.headers.iter().cloned()))
                .with_timeout(collector.timeout);
            if collector.gzip {
                builder = builder.with_compression(Compression::Gzip);
            }
            builder.build()
        }
    };
    built.map_err(|error| error.to_string())
}

fn headers(collector: &Collector) -> HeaderMap {
    collector
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.try_into().ok()?, value.try_into().ok()?)))
        .collect()
}

fn channel(collector: &Collector) -> Result<Channel, String> {
    let mut endpoint = Endpoint::from_shared(collector.endpoint.clone())
        .map_err(|error| error.to_string())?
        .connect_timeout(collector.timeout)
        .timeout(collector.timeout);
    if collector.endpoint.starts_with("https://") {
        let tls = ClientTlsConfig::new();
        let tls = match &collector.ca_certificate {
            Some(path) => {
                let pem = pem(path)?;
                // The transport itself would skip over what is none, and then trust nobody.
                certificates(&pem)?;
                tls.ca_certificate(Certificate::from_pem(pem))
            }
            None => tls.with_webpki_roots(),
        };
        endpoint = endpoint
            .tls_config(tls)
            .map_err(|error| error.to_string())?;
    }
    Ok(endpoint.connect_lazy())
}

fn pem(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| {
        format!(
            "OTEL_EXPORTER_OTLP_CERTIFICATE: {}: {error}",
            path.display()
        )
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("OTEL_EXPORTER_OTLP_CERTIFICATE: {error:?}"))?;
    if certificates.is_empty() {
        return Err(String::from(
            "OTEL_EXPORTER_OTLP_CERTIFICATE: there is no certificate of an authority in the file",
        ));
    }
    Ok(certificates)
}
