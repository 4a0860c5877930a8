//! One request to the collector after the other, by gRPC or by HTTP.

use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use bytes::{Buf, BufMut, Bytes};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use super::http::Client;
use crate::telemetry::otel::{CertificateFile, Collector, Protocol};

/// Sends requests that are written already.
#[derive(Debug)]
pub(in crate::telemetry) enum Exporter {
    Grpc {
        client: Grpc<Channel>,
        method: PathAndQuery,
        headers: HeaderMap,
    },
    Http {
        client: Box<Client>,
        endpoint: Uri,
        headers: HeaderMap,
    },
}

impl Exporter {
    /// Makes one; must be called inside the runtime that it will be used in. `method` is called by gRPC.
    pub(super) fn new(collector: &Collector, method: &'static str) -> Result<Self, String> {
        let headers = headers(collector);
        match collector.protocol {
            Protocol::Grpc => {
                let mut client = Grpc::new(channel(collector)?);
                if collector.gzip {
                    client = client.send_compressed(CompressionEncoding::Gzip);
                }
                Ok(Self::Grpc {
                    client,
                    method: PathAndQuery::from_static(method),
                    headers,
                })
            }
            Protocol::HttpProtobuf => {
                let roots = match &collector.ca_certificate {
                    Some(file) => certificates(file, &pem(file)?)?,
                    None => Vec::new(),
                };
                let endpoint = collector.endpoint.parse::<Uri>();
                Ok(Self::Http {
                    client: Box::new(Client::new(roots, collector.timeout, collector.gzip)?),
                    endpoint: endpoint.map_err(|error| error.to_string())?,
                    headers,
                })
            }
        }
    }

    /// Sends one request, and waits until the collector has it. What it says that it did not take of it.
    pub(in crate::telemetry) async fn export(
        &mut self,
        request: Bytes,
    ) -> Result<Rejected, String> {
        match self {
            Self::Grpc {
                client,
                method,
                headers,
            } => {
                let metadata = MetadataMap::from_headers(headers.clone());
                let request = Request::from_parts(metadata, tonic::Extensions::new(), request);
                client.ready().await.map_err(|error| error.to_string())?;
                let answer = client.unary(request, method.clone(), Written).await;
                let answer = answer.map_err(|status| status.to_string())?;
                Ok(Rejected::read(answer.into_inner()))
            }
            Self::Http {
                client,
                endpoint,
                headers,
            } => {
                let answer = client.post(endpoint, headers, request).await?;
                Ok(Rejected::read(answer))
            }
        }
    }
}

/// What of a request was not taken, by a collector that took the rest.
#[derive(Debug, Default)]
pub(in crate::telemetry) struct Rejected {
    /// Spans, or points of metrics.
    pub(in crate::telemetry) count: u64,
    /// The collector's reason.
    pub(in crate::telemetry) why: String,
}

impl Rejected {
    /// The answer about metrics has the same fields as that about spans. One that cannot be read rejects nothing.
    fn read(answer: Bytes) -> Self {
        let read = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
        let partly = read.partial_success.unwrap_or_default();
        Self {
            count: u64::try_from(partly.rejected_spans).unwrap_or_default(),
            why: partly.error_message,
        }
    }
}

/// Messages that are written already, and answers as they come.
#[derive(Debug, Clone, Copy)]
struct Written;

impl Codec for Written {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Written {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Written {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

fn headers(collector: &Collector) -> HeaderMap {
    let header = |(name, value): &(String, String)| -> Option<(HeaderName, HeaderValue)> {
        Some((name.try_into().ok()?, value.try_into().ok()?))
    };
    collector.headers.iter().filter_map(header).collect()
}

fn channel(collector: &Collector) -> Result<Channel, String> {
    let mut endpoint = Endpoint::from_shared(collector.endpoint.clone())
        .map_err(|error| error.to_string())?
        .connect_timeout(collector.timeout)
        .timeout(collector.timeout);
    if collector.endpoint.starts_with("https://") {
        let tls = ClientTlsConfig::new();
        let tls = match &collector.ca_certificate {
            Some(file) => {
                let pem = pem(file)?;
                // The transport itself would skip over what is none, and then trust nobody.
                certificates(file, &pem)?;
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

/// Reads the file; what is wrong with it is told with the variable that names it.
fn pem(file: &CertificateFile) -> Result<Vec<u8>, String> {
    std::fs::read(&file.path)
        .map_err(|error| format!("{}: {}: {error}", file.variable, file.path.display()))
}

fn certificates(
    file: &CertificateFile,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, String> {
    let CertificateFile { variable, path } = file;
    let path = path.display();
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{variable}: {path}: {error:?}"))?;
    if certificates.is_empty() {
        return Err(format!(
            "{variable}: {path}: there is no certificate of an authority in the file"
        ));
    }
    Ok(certificates)
}
