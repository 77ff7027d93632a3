//! What the first pages of a long log are rolled up into.
//!
//! Full pages never change, and where the next checkpoint ends follows from the one before. So every master makes the same checkpoint of
//! the same pages, to the byte, and none of them can overwrite what another made.

use bytes::{Bytes, BytesMut};
use helios_core::schema::{Keys, encode};
use helios_core::store::Key;
use serde::{Deserialize, Serialize};
use sha1_smol::Sha1;

use super::draft::PAGE_BYTES;
use super::pages::Log;
use super::{Course, LogHead, RolledUp};
use crate::audit::{AuditError, Entry, Record, State};

/// How many pages are rolled up at least.
const PAGES_MIN: u32 = if cfg!(test) { 4 } else { 64 };
/// How many of the last pages stay as they are, for people who want to know what happened lately.
const PAGES_KEPT: u32 = if cfg!(test) { 2 } else { 16 };
/// How many characters of the digest are in the name of a checkpoint.
const DIGEST_CHARS: usize = 16;

/// What a log was up to some page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rolled {
    /// What it added up to there, and who was told what last, when and why.
    pub(super) checkpoint: Record,
    /// How many hosts held what until then.
    pub(super) course: Course,
}

impl LogHead {
    /// The first page that still counts.
    pub(super) fn first_page(&self) -> u32 {
        let rolled_up = self.rolled_up.as_ref();
        rolled_up.map_or(0, |rolled_up| rolled_up.pages)
    }

    /// How many pages the next checkpoint stands for. They are twice as many as the last one's parts, so that a log stays within a few times
    /// of what it adds up to, and rolling up costs little beside what it rolls up.
    pub(super) fn next_roll_up(&self) -> u32 {
        let rolled_up = self.rolled_up.as_ref();
        let parts = rolled_up.map_or(0, |rolled_up| rolled_up.parts);
        self.first_page() + PAGES_MIN.max(parts.saturating_mul(2))
    }

    /// Whether it is time to roll it up.
    pub(super) fn is_long(&self) -> bool {
        self.running && self.next_roll_up() + PAGES_KEPT < self.pages
    }
}

impl Rolled {
    /// Rolls a log up. It was written by masters, and is not doubted here; [`replay`](crate::audit::replay) is for that.
    pub(super) fn of(log: &Log) -> Result<Self, AuditError> {
        let mut records = log.records.iter();
        let first = records.next().ok_or(AuditError::NoBeginning)?;
        let Entry::Checkpoint(state) = &first.entry else {
            return Err(AuditError::NoBeginning);
        };
        let (mut state, mut at) = (State::clone(state), first.at);
        for record in records {
            state.follow(record)?;
            at = record.at;
        }
        Ok(Self {
            checkpoint: state.checkpoint(at),
            course: log.course()?,
        })
    }

    /// Its parts as they are stored, and what the log's head says of them.
    pub(super) fn parts(&self, name: &str, log: &str, pages: u32) -> (RolledUp, Vec<(Key, Bytes)>) {
        let text = encode(self);
        let digest = Sha1::from(&text).digest().to_string();
        let short = digest.get(..DIGEST_CHARS).unwrap_or(&digest);
        let checkpoint = format!("{log}.{pages}.{short}");
        let slices = text.chunks(PAGE_BYTES).map(|slice| text.slice_ref(slice));
        let parts = (0..).zip(slices).filter_map(|(part, slice)| {
            let key = Keys::rollout_page(name, &checkpoint, part).ok()?;
            Some((key, slice))
        });
        let parts: Vec<_> = parts.collect();
        let rolled_up = RolledUp {
            pages,
            parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            digest,
            checkpoint,
        };
        (rolled_up, parts)
    }

    /// Puts its parts together again; `Err` says what is wrong with them.
    pub(super) fn joined(rolled_up: &RolledUp, parts: &[Bytes]) -> Result<Self, String> {
        let mut text = BytesMut::new();
        parts.iter().for_each(|part| text.extend_from_slice(part));
        let name = &rolled_up.checkpoint;
        if Sha1::from(&text).digest().to_string() != rolled_up.digest {
            return Err(format!("checkpoint {name} is not what was rolled up"));
        }
        serde_json::from_slice(&text).map_err(|error| format!("checkpoint {name}: {error}"))
    }
}

/// Whether an entry of that name, beside the log's pages, is neither part of the log nor of what it will be rolled up into next.
pub(super) fn is_litter(name: &str, log: &LogHead) -> bool {
    let Some(rest) = name.strip_prefix(&log.id) else {
        return true;
    };
    if let Some(page) = rest.strip_prefix(':') {
        return page.parse().is_ok_and(|page: u32| page < log.first_page());
    }
    let pages = rest
        .strip_prefix('.')
        .and_then(|rest| rest.split('.').next());
    let Some(pages) = pages.and_then(|pages| pages.parse::<u32>().ok()) else {
        return true;
    };
    let current = log.rolled_up.as_ref();
    let is_current = current.is_some_and(|rolled_up| {
        let part = name.strip_prefix(&rolled_up.checkpoint);
        part.is_some_and(|part| part.starts_with(':'))
    });
    !is_current && pages <= log.first_page()
}
