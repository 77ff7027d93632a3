//! Compressing answers.

use std::io::{self, Write};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter answers are sent as they are.
const BYTES_MIN: usize = 256;
/// Longer answers are compressed in a thread where they hold up nobody.
const BYTES_INLINE_MAX: usize = 64 * 1024;

/// Whether the answer to a request may be compressed: only those to questions are.
pub(super) fn wants_gzip(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::POST) && accepts_gzip(request.headers())
}

/// Compresses an answer that is long enough for it.
pub(super) async fn compress(response: Response) -> Response {
    if response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    // Streams have no length that is known beforehand.
    match response.body().size_hint().exact() {
        Some(length) if length >= BYTES_MIN as u64 => {}
        _ => return response,
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = match gzip_anywhere(bytes.clone()).await {
        Ok(compressed) => {
            let gzip = HeaderValue::from_static("gzip");
            parts.headers.insert(CONTENT_ENCODING, gzip);
            parts.headers.remove(CONTENT_LENGTH);
            Body::from(compressed)
        }
        Err(error) => {
            tracing::warn!(%error, "an answer is sent uncompressed");
            Body::from(bytes)
        }
    };
    let vary = HeaderValue::from_static("Accept-Encoding");
    parts.headers.append(VARY, vary);
    Response::from_parts(parts, body)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

async fn gzip_anywhere(bytes: Bytes) -> io::Result<Vec<u8>> {
    if bytes.len() <= BYTES_INLINE_MAX {
        return gzip(&bytes);
    }
    let compressed = tokio::task::spawn_blocking(move || gzip(&bytes)).await;
    compressed.map_err(io::Error::other)?
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
