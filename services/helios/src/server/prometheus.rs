//! Prometheus as a source of evidence.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use async_trait::async_trait;
use form_urlencoded::Serializer;
use helios_core::HostName;
use helios_rollout::drive::{EvidenceSource, Query, Tally};
use helios_rollout::guard::{Counts, Missing, NoEvidence};
use serde::Deserialize;

use super::authorities::Authorities;
use super::outbound::{Body, Outbound, Url};

/// How long a server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes: a hundred thousand samples with many labels.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most that a host is believed to have counted in one window.
const COUNT_MAX: f64 = 1e15;

/// Asks Prometheus servers, by their HTTP interface. What is no count is never taken for evidence.
#[derive(Debug)]
pub(super) struct Prometheus {
    outbound: Outbound,
}

/// What a server answers.
#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success { data: Data },
    Error { error: String },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Sample>),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Sample {
    metric: BTreeMap<String, String>,
    /// When, and how much.
    value: (f64, String),
}

impl Prometheus {
    pub(super) fn trusting(authorities: &Authorities) -> Self {
        let outbound = Outbound::trusting(authorities);
        Self {
            outbound: outbound.waiting(ANSWER_WITHIN).reading(ANSWER_BYTES_MAX),
        }
    }

    async fn ask(&self, url: &str, expression: &str) -> Result<Vec<Sample>, NoEvidence> {
        let no = |kind, why: &dyn Display| NoEvidence::new(kind, format!("{url}: {why}"));
        let server = Url::parse(url).map_err(|why| NoEvidence::new(Missing::Unreachable, why))?;
        let query = Serializer::new(String::new())
            .append_pair("query", expression)
            .finish();
        let query = Body::Form(query);
        let answer = self
            .outbound
            .send("POST", &server, "/api/v1/query", &[], query);
        let (status, body) = answer.await.map_err(|why| no(Missing::Unreachable, &why))?;
        // Errors of an expression come with a code of their own and the same kind of body.
        let answer = serde_json::from_slice(&body).map_err(|_| {
            let why = format_args!("the answer, {status}, is none of Prometheus");
            no(Missing::Refused, &why)
        })?;
        match answer {
            Answer::Success {
                data: Data::Vector(samples),
            } => Ok(samples),
            Answer::Success { .. } => Err(no(
                Missing::NoCount,
                &format_args!(
                    "{expression:?} is no instant vector: it must give one sample per host"
                ),
            )),
            Answer::Error { error } => Err(no(
                Missing::Refused,
                &format_args!("{expression:?}: {error}"),
            )),
        }
    }
}

#[async_trait]
impl EvidenceSource for Prometheus {
    async fn count(&self, query: &Query, window: Duration) -> Result<Tally, NoEvidence> {
        let Query::Prometheus {
            url,
            bad,
            all,
            host_label,
        } = query
        else {
            let why = format!("{query} is no question to Prometheus");
            return Err(NoEvidence::new(Missing::NobodyToAsk, why));
        };
        let window = format!("{}s", window.as_secs().max(1));
        let [bad, all] = [bad, all].map(|text| text.replace("$window", &window));
        let all = by_host(&self.ask(url, &all).await?, host_label)?;
        let bad = by_host(&self.ask(url, &bad).await?, host_label)?;
        tally(&bad, &all)
    }
}

/// The sum of the samples of each host. Samples of what is no host are left out.
fn by_host(samples: &[Sample], label: &str) -> Result<BTreeMap<HostName, u64>, NoEvidence> {
    let mut sums = BTreeMap::new();
    for sample in samples {
        let no = |why: &str| {
            let metric = &sample.metric;
            let why = format!("the sample {metric:?} = {} {why}", sample.value.1);
            NoEvidence::new(Missing::NoCount, why)
        };
        let name = sample
            .metric
            .get(label)
            .ok_or_else(|| no(&format!("has no label {label:?} that names its host")))?;
        let name = name
            .rsplit_once(':')
            .map_or(name.as_str(), |(host, _)| host);
        let Ok(host) = name.parse::<HostName>() else {
            continue;
        };
        *sums.entry(host).or_default() +=
            count(&sample.value.1).ok_or_else(|| no("is no count"))?;
    }
    Ok(sums)
}

/// A number of events. Prometheus extrapolates to the edges of a window, so that counts come with fractions.
fn count(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is in the range of whole numbers that both types have"
    )]
    (0.0..=COUNT_MAX)
        .contains(&number)
        .then(|| number.round() as u64)
}

fn tally(
    bad: &BTreeMap<HostName, u64>,
    all: &BTreeMap<HostName, u64>,
) -> Result<Tally, NoEvidence> {
    if all.is_empty() {
        let why = "no host has samples of what could go wrong in this window";
        return Err(NoEvidence::new(Missing::NobodyKnown, why));
    }
    for (host, events) in bad {
        // One more is rounding.
        if *events > all.get(host).copied().unwrap_or(0) + 1 {
            let all = all.get(host).copied().unwrap_or(0);
            let why = format!("on host {host}, {events} of {all} went wrong");
            return Err(NoEvidence::new(Missing::NoCount, why));
        }
    }
    let counts = |(host, exposure): (&HostName, &u64)| {
        let events = bad.get(host).copied().unwrap_or(0).min(*exposure);
        let counts = Counts {
            events,
            exposure: *exposure,
        };
        (host.clone(), counts)
    };
    Ok(all.iter().map(counts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(answer: &str) -> Vec<Sample> {
        match serde_json::from_str(answer).unwrap() {
            Answer::Success {
                data: Data::Vector(samples),
            } => samples,
            other => panic!("{other:?}"),
        }
    }

    fn one(host: &str, value: &str) -> Vec<Sample> {
        samples(&format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"instance":"{host}"}},"value":[1.5,"{value}"]}}]}}}}"#
        ))
    }

    #[test]
    fn samples_are_summed_up_by_host_without_their_ports() {
        let mut both = one("web1:9100", "2.4");
        both.extend(one("web1:9200", "3.6"));
        both.extend(one("no host", "9"));
        let sums = by_host(&both, "instance").unwrap();
        assert_eq!(sums, BTreeMap::from([("web1".parse().unwrap(), 6)]));
        let unnamed = by_host(&both, "host").unwrap_err().to_string();
        assert!(unnamed.contains("\"host\""), "{unnamed}");
    }

    #[test]
    fn what_is_no_count_is_no_evidence() {
        for value in ["NaN", "+Inf", "-1", "-Inf", "1e300", "many"] {
            let error = by_host(&one("web1", value), "instance").unwrap_err();
            assert!(error.to_string().contains("is no count"), "{error}");
        }
    }

    #[test]
    fn more_bad_than_all_is_no_evidence_and_rounding_is() {
        let of = |value| by_host(&one("web1", value), "instance").unwrap();
        let host = "web1".parse().unwrap();
        let rounded = tally(&of("3.6"), &of("3.4")).unwrap();
        assert_eq!((rounded[&host].events, rounded[&host].exposure), (3, 3));
        assert!(tally(&of("9"), &of("3")).is_err());
        assert!(tally(&of("9"), &BTreeMap::new()).is_err());
        assert_eq!(tally(&BTreeMap::new(), &of("3")).unwrap()[&host].events, 0);
    }
}
