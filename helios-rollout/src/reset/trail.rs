//! What happened in a reset, line by line.

use helios_core::Timestamp;
use helios_core::cluster::Cluster;
use helios_core::model::HostName;
use helios_core::schema::{Keys, Stamp};
use helios_core::store::Txn;
use serde::{Deserialize, Serialize};

use super::resets::{bad_name, put};
use super::{ResetError, ResetRecord};

/// How many lines one page holds: some 60 kB of them.
const PAGE_LINES: u64 = 500;

/// One thing that happened in a reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailLine {
    /// When.
    pub at: Timestamp,
    /// Who did it: a user, a token's name, or the driver.
    pub by: String,
    /// With which host, if it was with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What, and why.
    pub text: String,
}

/// Consecutive lines. Page `n` begins with the line whose number is `n` times [`PAGE_LINES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct TrailPage {
    lines: Vec<TrailLine>,
}

impl TrailLine {
    pub(super) fn new(stamp: &Stamp, text: impl Into<String>) -> Self {
        Self {
            at: stamp.at,
            by: stamp.principal.clone(),
            host: None,
            text: text.into(),
        }
    }

    pub(super) fn host(mut self, host: Option<&HostName>) -> Self {
        self.host = host.cloned();
        self
    }
}

/// Adds lines to the trail of a reset, in the transaction that stores the record.
pub(super) async fn append(
    cluster: &Cluster,
    mut txn: Txn,
    record: &mut ResetRecord,
    lines: Vec<TrailLine>,
) -> Result<Txn, ResetError> {
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let (page, kept) = place(record.trail);
        let key =
            Keys::trail_page(&record.reset.name, page).map_err(|_| bad_name(&record.reset.name))?;
        let found = cluster.read::<TrailPage>(&key).await?;
        let mut lines_there = found
            .as_ref()
            .map_or_else(Vec::new, |found| found.lines.clone());
        // What stands there already is of an earlier reset of that name.
        lines_there.truncate(kept);
        let room = usize::try_from(PAGE_LINES)
            .unwrap_or(usize::MAX)
            .saturating_sub(kept);
        lines_there.extend(lines.by_ref().take(room));
        record.trail += (lines_there.len() - kept) as u64;
        let next = TrailPage { lines: lines_there };
        txn = put(txn, &key, found.as_ref(), &next);
    }
    Ok(txn)
}

/// All lines of the trail, oldest first.
pub(super) async fn read(
    cluster: &Cluster,
    record: &ResetRecord,
) -> Result<Vec<TrailLine>, ResetError> {
    let name = &record.reset.name;
    let mut lines = Vec::new();
    while (lines.len() as u64) < record.trail {
        let (page, _) = place(lines.len() as u64);
        let key = Keys::trail_page(name, page).map_err(|_| bad_name(name))?;
        match cluster.read::<TrailPage>(&key).await? {
            Some(found) if !found.lines.is_empty() => lines.extend(found.lines.iter().cloned()),
            _ => break,
        }
    }
    // The last page may hold newer lines by now.
    lines.truncate(usize::try_from(record.trail).unwrap_or(usize::MAX));
    Ok(lines)
}

/// On which page a line stands, and how many come before it there.
fn place(line: u64) -> (u32, usize) {
    let page = u32::try_from(line / PAGE_LINES).unwrap_or(u32::MAX);
    let before = usize::try_from(line % PAGE_LINES).unwrap_or(0);
    (page, before)
}
