//! Reading request bodies.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use helios_core::model::Job;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::fault::Fault;
use super::json_limits::check_limits;

/// The longest body that says one thing, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest body that lists names, in bytes: room for 50,000 job ids.
pub(super) const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(15);

/// The text of a JSON body, checked against all limits but not yet read.
pub(super) struct JsonText<const BYTES_MAX: usize = BODY_BYTES_MAX>(String);

impl<const BYTES_MAX: usize> JsonText<BYTES_MAX> {
    /// What the text says.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.0).map_err(|error| {
            Fault::bad(
                format!("the body cannot be understood ({error})"),
                NEXT_BODY,
            )
        })
    }

    /// The job that the text describes, with the leniency that job files rely on.
    pub(super) fn read_job(&self) -> Result<Job, Fault> {
        Job::from_json(&self.0).map_err(|error| {
            let reason = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            Fault::bad(format!("the body is no job ({reason})"), NEXT_BODY)
        })
    }
}

impl<S: Sync, const BYTES_MAX: usize> FromRequest<S> for JsonText<BYTES_MAX> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Fault::because(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body does not call itself JSON",
                "send JSON, with Content-Type: application/json",
            ));
        }
        let received = receive(body, BYTES_MAX).await?;
        let text = decompress(&parts.headers, &received, BYTES_MAX)?;
        let text = text.unwrap_or_else(|| received.into());
        if matches!(text.trim_ascii(), b"" | b"null") {
            return Err(Fault::NoBody);
        }
        check_limits(&text).map_err(|what| Fault::bad(what, "ask for less at a time"))?;
        String::from_utf8(text)
            .map(Self)
            .map_err(|_| Fault::bad("the body is not in UTF-8", "send JSON in UTF-8"))
    }
}

/// Whether the body calls itself JSON, in one of the ways that count. What the main type is does not
/// matter.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let subtype = media_type
        .split_once('/')
        .map_or("", |(_, subtype)| subtype);
    let subtype = subtype.to_ascii_lowercase();
    matches!(
        subtype.as_str(),
        "json" | "javascript" | "x-javascript" | "x-json"
    ) || subtype.ends_with("+json")
}

/// What to do about a body that is not what it should be.
const NEXT_BODY: &str = "GET /openapi.json says what it should be";

async fn receive(body: Body, bytes_max: usize) -> Result<Bytes, Fault> {
    let collected = timeout(BODY_READ_TIMEOUT, Limited::new(body, bytes_max).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
        Ok(Err(_)) => Err(Fault::bad("the body broke off", "send it again")),
        Err(_) => Err(Fault::because(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body took longer than {BODY_READ_TIMEOUT:?}"),
            "send it at once, nothing was changed",
        )),
    }
}

/// The body without its compression, if it has one.
fn decompress(
    headers: &HeaderMap,
    received: &[u8],
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, Fault> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str());
    match encoding {
        None | Some(Ok("identity")) => Ok(None),
        Some(Ok("gzip" | "x-gzip")) => inflate(MultiGzDecoder::new(received), bytes_max).map(Some),
        Some(Ok("deflate")) => inflate(ZlibDecoder::new(received), bytes_max).map(Some),
        Some(_) => Err(Fault::because(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is compressed in a way that is not known here",
            "compress it with gzip or deflate, or not at all",
        )),
    }
}

fn inflate(compressed: impl Read, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    // One byte more than allowed shows that there is more.
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    compressed
        .take(limit)
        .read_to_end(&mut text)
        .map_err(|error| {
            let what = format!("the body cannot be decompressed ({error})");
            Fault::bad(what, "send it again, or uncompressed")
        })?;
    if text.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(text)
}

fn too_large(bytes_max: usize) -> Fault {
    Fault::because(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is longer than {bytes_max} bytes"),
        "ask for less at a time",
    )
}
