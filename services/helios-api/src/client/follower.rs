//! A host that follows variables.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use helios_rollout::variable::Value;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{Client, ClientError, DesiredQuery};
use crate::wire::Desired;

/// What a host was told last, as it remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// What it should hold.
    pub values: BTreeMap<String, Value>,
    /// Which change of each variable made it so.
    pub since: BTreeMap<String, u64>,
    /// Whether it was enacted.
    pub enacted: bool,
}

impl Remembered {
    /// Takes an answer in, each variable by itself: what is older than what is known does not count, whichever master says it. Returns
    /// whether the whole answer was at least as new.
    pub fn accept(&mut self, desired: &Desired) -> bool {
        let mut fresh = self
            .since
            .keys()
            .all(|name| desired.since.contains_key(name));
        for (name, since) in &desired.since {
            let known = self.since.get(name).copied();
            if known.is_some_and(|known| known > *since) {
                fresh = false;
            } else if known != Some(*since) {
                self.since.insert(name.clone(), *since);
                let before = match desired.values.get(name) {
                    Some(value) => self.values.insert(name.clone(), value.clone()),
                    None => self.values.remove(name),
                };
                self.enacted &= before.as_ref() == desired.values.get(name);
            }
        }
        fresh
    }
}

/// Follows what one host should hold: asks a master every now and then, remembers the answer on disk, and never goes back to an older one.
///
/// It only says what is wanted. Whoever uses it enacts that, and says how it went with [`enacted`](Self::enacted).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use helios_api::client::Follower;
///
/// let client = helios_api::Client::new("http://127.0.0.1:5801")?;
/// let mut follower = Follower::open(client, "web1", "/var/lib/web/desired.json")?
///     .labels([("role".to_owned(), "web".to_owned())]);
/// loop {
///     let values = follower.next().await.clone();
///     println!("docker should be {:?}", values.get("docker"));
///     follower.enacted(Ok(()))?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Follower {
    client: Client,
    host: String,
    path: PathBuf,
    every: Duration,
    remembered: Remembered,
    query: DesiredQuery,
    /// Counts the questions, for the jitter.
    asked: u64,
    /// Whether the reader must be given what is remembered.
    pending: bool,
}

impl Follower {
    /// A follower for `host` that remembers in the file `path`, and asks every 30 seconds.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or is none of a follower.
    pub fn open(
        client: Client,
        host: impl Into<String>,
        path: impl Into<PathBuf>,
    ) -> io::Result<Self> {
        let path = path.into();
        let remembered = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Remembered::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            client,
            host: host.into(),
            path,
            every: Duration::from_secs(30),
            pending: !remembered.since.is_empty() && !remembered.enacted,
            remembered,
            query: DesiredQuery::default(),
            asked: 0,
        })
    }

    /// What the host is, for a host without an agent; counts on its first call.
    #[must_use]
    pub fn labels(mut self, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        self.query.labels = labels.into_iter().collect();
        self
    }

    /// Asks that often, give or take a tenth: each host at other times, so that a fleet does not ask all at once.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// What the host should hold as far as it is known, however long ago it was said.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.remembered.values
    }

    /// Waits for something to enact: something new, or what was not enacted yet. Masters that cannot be reached are waited for.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn next(&mut self) -> &BTreeMap<String, Value> {
        loop {
            if std::mem::take(&mut self.pending) {
                return &self.remembered.values;
            }
            if self.asked > 0 {
                sleep(self.pause()).await;
            }
            if let Err(error) = self.ask().await {
                tracing::warn!(%error, "no answer for {}: keeping the last one", self.host);
            }
        }
    }

    /// Asks once. [`next`](Self::next) does it again and again.
    ///
    /// # Errors
    /// As [`Client::desired`]; what is known stays known.
    pub async fn ask(&mut self) -> Result<(), ClientError> {
        self.asked += 1;
        let reply = self.client.desired(&self.host, &self.query).await?;
        // That it works again needs to be said only once.
        if self.query.failed.as_deref() == Some("") {
            self.query.failed = None;
        }
        let Some(desired) = reply.desired else {
            return Ok(());
        };
        let before = self.remembered.clone();
        let first = before.since.is_empty();
        let fresh = self.remembered.accept(&desired);
        self.query.tag = reply.tag.filter(|_| fresh);
        self.pending =
            !self.remembered.enacted && (first || before.values != self.remembered.values);
        if before != self.remembered
            && let Err(error) = self.save()
        {
            tracing::warn!(%error, "{} cannot be written", self.path.display());
            // Not remembered, so not known: it is asked for again.
            (self.remembered, self.query.tag, self.pending) = (before, None, false);
        }
        Ok(())
    }

    /// Says how enacting went. After a failure, [`again`](Self::again) gives the same once more; the reason is told to the master,
    /// where it is evidence for the guard of a rollout.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn enacted(&mut self, outcome: Result<(), String>) -> io::Result<()> {
        match outcome {
            Ok(()) => {
                self.query.failed = self.query.failed.take().map(|_| String::new());
                self.remembered.enacted = true;
                self.save()
            }
            Err(why) => {
                self.query.failed = Some(if why.is_empty() {
                    "failed".to_owned()
                } else {
                    why
                });
                Ok(())
            }
        }
    }

    /// Lets [`next`](Self::next) give at once what is not enacted yet, and says whether there is such a thing.
    pub fn again(&mut self) -> bool {
        self.pending = !self.remembered.since.is_empty() && !self.remembered.enacted;
        self.pending
    }

    /// How long to wait before the next question.
    #[must_use]
    pub fn pause(&self) -> Duration {
        let mut hasher = DefaultHasher::new();
        (&self.host, self.asked).hash(&mut hasher);
        let permille = u32::try_from(900 + hasher.finish() % 200).unwrap_or(1_000);
        self.every * permille / 1_000
    }

    fn save(&self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.remembered)?;
        write_atomically(&self.path, &text)
    }
}

/// Writes a file that is always whole, whatever happens: the old one or the new one.
///
/// # Errors
/// When it cannot be written; the old one is there then.
pub fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: &[(&str, i64)], since: &[(&str, u64)]) -> Desired {
        let value = |(name, value): &(&str, i64)| ((*name).to_owned(), Value::from(*value));
        let since = since
            .iter()
            .map(|(name, since)| ((*name).to_owned(), *since));
        Desired {
            values: values.iter().map(value).collect(),
            since: since.collect(),
        }
    }

    #[test]
    fn an_older_answer_does_not_count_variable_by_variable() {
        let mut remembered = Remembered::default();
        assert!(remembered.accept(&answer(&[("a", 1), ("b", 1)], &[("a", 5), ("b", 5)])));
        remembered.enacted = true;
        // A master that is behind on one and ahead on the other.
        assert!(!remembered.accept(&answer(&[("a", 0), ("b", 2)], &[("a", 4), ("b", 6)])));
        let values: Vec<_> = remembered.values.values().cloned().collect();
        assert_eq!(values, [Value::from(1), Value::from(2)]);
        assert!(!remembered.enacted);
        // One that has not heard of a variable yet.
        assert!(!remembered.accept(&answer(&[("b", 2)], &[("b", 6)])));
        assert_eq!(remembered.values.len(), 2);
        // One that knows of its removal.
        assert!(remembered.accept(&answer(&[("b", 2)], &[("a", 7), ("b", 6)])));
        assert_eq!(remembered.values.len(), 1);
    }
}
