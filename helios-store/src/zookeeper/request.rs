//! One request to the servers: steps that are carried out all or not at all.

use helios_core::store::{Key, StoreError, StoreErrorKind};
use zookeeper_client::{Acl, Acls, CreateMode, Error, MultiWriteError, MultiWriter};

use super::Access;
use super::fault::{Meaning, meaning};
use super::plan::{DIRECTORY, Step};
use super::read::path;
use super::session::Session;

/// What a transaction met at the servers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Done,
    /// Nothing was done, because of that step.
    Refused {
        step: usize,
        error: Error,
    },
    /// Nothing was done, because of this or of another transaction in the same request.
    Apart,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) enum NoAnswer {
    /// The client does not send such a step.
    Unsendable(Key, Error),
    /// It came from a server, which did nothing.
    Declined(Error),
    /// Nobody knows what became of the request.
    Lost(Option<Error>),
}

/// Sends the steps as one ZooKeeper transaction: before this returns, they are in the queue of the connection.
///
/// # Errors
/// `Unsendable`, and nothing was sent.
pub(super) fn send<'s>(
    session: &'s Session,
    steps: &[Step],
    access: &Access,
) -> Result<impl Future<Output = Result<Answer, NoAnswer>> + Send + use<'s>, NoAnswer> {
    let mut writer = session.client.new_multi_writer();
    for step in steps {
        add(&mut writer, step, access)
            .map_err(|error| NoAnswer::Unsendable(step.key().clone(), error))?;
    }
    let request = writer.commit();
    Ok(async move {
        match request.await {
            Ok(_) => Ok(Answer::Done),
            Err(MultiWriteError::OperationFailed { index, source }) => Ok(Answer::Refused {
                step: index,
                error: source,
            }),
            Err(MultiWriteError::RequestFailed { source }) => Err(NoAnswer::of(source)),
        }
    })
}

/// Whether what became of the request is known.
pub(super) fn is_known(answer: &Result<Answer, NoAnswer>) -> bool {
    !matches!(answer, Err(NoAnswer::Lost(_)))
}

impl NoAnswer {
    fn of(error: Error) -> Self {
        match meaning(&error) {
            Meaning::Unknown => Self::Lost(Some(error)),
            _ => Self::Declined(error),
        }
    }
}

impl From<NoAnswer> for StoreError {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Unsendable(key, error) => {
                let message = format!("{key}: the client refuses the path");
                Self::new(StoreErrorKind::Invalid, message).caused_by(error)
            }
            NoAnswer::Declined(error) => declined(error),
            NoAnswer::Lost(Some(error)) => {
                let message = "the connection was lost before the answer";
                Self::new(StoreErrorKind::Indeterminate, message).caused_by(error)
            }
            NoAnswer::Lost(None) => Self::new(StoreErrorKind::Indeterminate, "no answer in time"),
        }
    }
}

pub(super) fn declined(error: Error) -> StoreError {
    let kind = match meaning(&error) {
        Meaning::Denied => StoreErrorKind::Denied,
        Meaning::OverQuota => StoreErrorKind::LimitExceeded,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, "the servers declined the transaction").caused_by(error)
}

fn add(writer: &mut MultiWriter<'_>, step: &Step, access: &Access) -> Result<(), Error> {
    match step {
        Step::Check { key, version } => writer.add_check_version(&path(key), *version),
        Step::CheckDirectory(dir) => writer.add_check_version(&path(dir), DIRECTORY),
        Step::Write {
            key,
            value,
            version,
        } => writer.add_set_data(&path(key), value, Some(*version)),
        Step::Delete { key, version } => writer.add_delete(&path(key), Some(*version)),
        Step::DropDirectory(dir) => writer.add_delete(&path(dir), Some(DIRECTORY)),
        Step::MakeDirectory(dir) => {
            // The servers remove an empty container, except where agents could not make it again.
            let mode = if access.is_shared_root(dir) {
                CreateMode::Persistent
            } else {
                CreateMode::Container
            };
            create(writer, dir, mode, &access.of_directory(Some(dir)))
        }
        Step::Create { key, ephemeral } => {
            let mode = if *ephemeral {
                CreateMode::Ephemeral
            } else {
                CreateMode::Persistent
            };
            create(writer, key, mode, &access.of_entry(key))
        }
    }
}

fn create(
    writer: &mut MultiWriter<'_>,
    key: &Key,
    mode: CreateMode,
    list: &[Acl],
) -> Result<(), Error> {
    writer.add_create(&path(key), b"", &mode.with_acls(Acls::new(list)))
}
