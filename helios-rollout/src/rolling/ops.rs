//! What can be asked of a deployment group, as pure functions from what was read to a transaction.

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::{
    DeploymentGroup, HostName, HostSelector, JobId, ResolvedRolloutOptions, RollingUpdateReason,
    RolloutOptions, natural_cmp,
};
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, JobRecord, Keys, Stamp, Versioned, encode};
use helios_core::store::{Key, Txn};

use super::members::Members;
use super::turn::port_conflict;
use super::{GroupRecord, GroupRefused, Policy, Rollout, RolloutState};

/// The longest name of a group, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// What a rollout that somebody stopped says of itself.
const STOPPED: &str = "Stopped by user";

/// Creates a group. One that is there with the same selectors stays as it is.
///
/// # Errors
/// [`BadName`](GroupRefused::BadName), [`GroupExists`](GroupRefused::GroupExists).
pub fn create_group(
    existing: Option<&Versioned<GroupRecord>>,
    group: &DeploymentGroup,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let key = key_of(&group.name)?;
    if let Some(existing) = existing {
        return if existing.group.host_selectors == group.host_selectors {
            Ok(Txn::new())
        } else {
            Err(GroupRefused::GroupExists {
                group: group.name.clone(),
            })
        };
    }
    // Its job and options come with its first rollout.
    let group = DeploymentGroup::new(&group.name, group.host_selectors.clone());
    let detail = format!(
        "{} with {}",
        group.name,
        selectors_text(&group.host_selectors)
    );
    let record = GroupRecord::new(stamp.operation.to_string(), group);
    let audit = AuditRecord::new(stamp, "create group").detail(detail);
    Ok(audited(
        Txn::new().create(key, encode(&record)),
        stamp,
        &audit,
    ))
}

/// Gives a group other selectors. Its rollout goes on with the hosts that match them: those that join are
/// started in their turn, and those that leave let go, unless it had failed.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound).
pub fn edit_group(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    selectors: &[HostSelector],
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    if seen.group.host_selectors == selectors {
        return Ok(Txn::new());
    }
    let mut record = GroupRecord::clone(seen);
    record.group.host_selectors = selectors.to_vec();
    let detail = format!(
        "{name} from {} to {}",
        selectors_text(&seen.group.host_selectors),
        selectors_text(selectors)
    );
    Ok(update(key, seen, &record, stamp, "edit group", &detail))
}

/// Removes a group, also in the middle of a rollout. What it deployed stays deployed.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound).
pub fn remove_group(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    let audit = AuditRecord::new(stamp, "remove group").detail(name);
    Ok(audited(Txn::new().delete(key, seen.version), stamp, &audit))
}

/// That a job is to be rolled out over a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollOut {
    /// The group's name.
    pub group: String,
    /// The job.
    pub job: JobId,
    /// The options of the original; what they leave open the job decides, and then the defaults.
    pub options: RolloutOptions,
    /// What those cannot say.
    pub policy: Policy,
}

impl RollOut {
    /// That `job` is to be rolled out over `group`, as the job says or by default.
    #[must_use]
    pub fn new(group: impl Into<String>, job: JobId) -> Self {
        Self {
            group: group.into(),
            job,
            options: RolloutOptions::default(),
            policy: Policy::default(),
        }
    }
}

/// Starts a rollout. One that is under way is replaced, and commits nothing more.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound), [`JobNotFound`](GroupRefused::JobNotFound),
/// [`BadOption`](GroupRefused::BadOption), [`OverlappingPorts`](GroupRefused::OverlappingPorts), looked for in
/// that order.
pub fn roll_out(
    seen: Option<&Versioned<GroupRecord>>,
    job: Option<&Versioned<JobRecord>>,
    fleet: &FleetView,
    request: &RollOut,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, &request.group)?;
    let job_found = job.zip(Keys::job(&request.job).ok());
    let (job, job_key) = job_found.ok_or_else(|| GroupRefused::JobNotFound {
        job: request.job.clone(),
    })?;
    let record = started(seen, job, fleet, request, &Start::of(stamp))?;
    let detail = format!(
        "{} with {:?}, {:?}",
        request.group,
        record.options(),
        request.policy
    );
    let audit = AuditRecord::new(stamp, "roll out")
        .job(&request.job)
        .detail(detail);
    let txn = Txn::new()
        .check(job_key, job.version)
        .update(key, seen.version, encode(&record));
    Ok(audited(txn, stamp, &audit))
}

/// By whom and when a rollout is started.
pub(super) struct Start<'a> {
    id: String,
    by: &'a str,
    at: Timestamp,
}

impl<'a> Start<'a> {
    fn of(stamp: &'a Stamp) -> Self {
        Self {
            id: stamp.operation.to_string(),
            by: &stamp.principal,
            at: stamp.at,
        }
    }

    /// For a rollout that is only thought of. No host bears the mark of its empty id.
    pub(super) fn of_nobody(at: Timestamp) -> Self {
        Self {
            id: String::new(),
            by: "",
            at,
        }
    }
}

/// The group's record once the rollout is started.
pub(super) fn started(
    seen: &GroupRecord,
    job: &JobRecord,
    fleet: &FleetView,
    request: &RollOut,
    start: &Start<'_>,
) -> Result<GroupRecord, GroupRefused> {
    let options = request.options.resolve(job.job.rollout_options.as_ref());
    let fault = options_fault(&options).or_else(|| request.policy.fault());
    if let Some(fault) = fault {
        let fault = fault.to_owned();
        return Err(GroupRefused::BadOption { fault });
    }
    let members = Members::of(seen, fleet, None);
    if options.overlap {
        for host in &members.all {
            let conflict = port_conflict(host.record, &seen.group.name, &job.job, true);
            if let Some(conflict) = conflict {
                let host = host.name.clone();
                return Err(GroupRefused::OverlappingPorts { host, conflict });
            }
        }
    }
    let mut record = seen.clone();
    record.stopped = false;
    record.group.job_id = Some(request.job.clone());
    record.group.rollout_options = Some(options.into());
    record.group.rolling_update_reason = Some(RollingUpdateReason::Manual);
    let size = u64::try_from(members.all.len()).unwrap_or(u64::MAX);
    let (id, job) = (start.id.clone(), request.job.clone());
    let mut rollout = Rollout::new(id, job, request.policy.clone(), size, start.at);
    rollout.note(
        start.at,
        format!("started by {} over {size} hosts", start.by),
    );
    record.rollout = Some(rollout);
    Ok(record)
}

fn options_fault(options: &ResolvedRolloutOptions) -> Option<&'static str> {
    if options.parallelism < 1 {
        return Some("a parallelism below 1 starts no host: use 1 or more, or a share above 0%");
    }
    if options.timeout < 1 {
        return Some("a timeout below 1 s gives no host any time: use 1 or more");
    }
    None
}

/// Stops a group: its rollout starts no host and stops none any more, and hosts that join get nothing, until
/// there is another rollout.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound).
pub fn stop_group(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    let mut record = GroupRecord::clone(seen);
    match &mut record.rollout {
        None => record.stopped = true,
        Some(rollout) => {
            rollout.state = RolloutState::Failed;
            rollout.stopped = true;
            rollout.error = Some(STOPPED.to_owned());
            rollout.pause = None;
            rollout.in_flight.clear();
            rollout.note(stamp.at, format!("stopped by {}", stamp.principal));
        }
    }
    if record == **seen {
        return Ok(Txn::new());
    }
    Ok(update(key, seen, &record, stamp, "stop group", name))
}

/// Pauses a rollout: the hosts in flight are waited for, and no other is started.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound), [`NoRollout`](GroupRefused::NoRollout) unless one is under
/// way.
pub fn pause_group(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    let mut record = GroupRecord::clone(seen);
    let rollout = under_way(&mut record, name)?;
    if rollout.pause.is_some() {
        return Ok(Txn::new());
    }
    rollout.pause = Some(format!("paused by {}", stamp.principal));
    rollout.note(stamp.at, format!("paused by {}", stamp.principal));
    Ok(update(key, seen, &record, stamp, "pause group", name))
}

/// Resumes a paused rollout, to pause again once `stop_after` more hosts were started, if that is given.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound), [`NoRollout`](GroupRefused::NoRollout) unless one is under
/// way.
pub fn resume_group(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    stop_after: Option<u32>,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    let mut record = GroupRecord::clone(seen);
    let rollout = under_way(&mut record, name)?;
    let pause_at = stop_after.map(|more| rollout.started.saturating_add(more.into()));
    if rollout.pause.is_none() && rollout.pause_at == pause_at {
        return Ok(Txn::new());
    }
    rollout.pause = None;
    rollout.pause_at = pause_at;
    rollout.note(stamp.at, format!("resumed by {}", stamp.principal));
    Ok(update(key, seen, &record, stamp, "resume group", name))
}

/// Takes the last rollout back, whether it is under way, done or failed: the group goes back to the job it
/// had before, beginning with the hosts that were started last.
///
/// # Errors
/// [`GroupNotFound`](GroupRefused::GroupNotFound), [`NoRollout`](GroupRefused::NoRollout),
/// [`NothingBefore`](GroupRefused::NothingBefore), [`JobNotFound`](GroupRefused::JobNotFound) when that job is
/// gone. `job` is what the store has of [`job_before`].
pub fn roll_back(
    seen: Option<&Versioned<GroupRecord>>,
    name: &str,
    job: Option<&Versioned<JobRecord>>,
    stamp: &Stamp,
) -> Result<Txn, GroupRefused> {
    let (key, seen) = found(seen, name)?;
    let group = || name.to_owned();
    let Some(rollout) = &seen.rollout else {
        return Err(GroupRefused::NoRollout {
            group: group(),
            what: "to take back",
        });
    };
    let to = job_before(seen).ok_or_else(|| GroupRefused::NothingBefore { group: group() })?;
    let found = job.zip(Keys::job(to).ok());
    let (job, job_key) = found.ok_or_else(|| GroupRefused::JobNotFound { job: to.clone() })?;
    let id = stamp.operation.to_string();
    let why = format!("asked for by {}", stamp.principal);
    let mut next = rollout.taken_back(id, to.clone(), &why, stamp.at);
    next.note(
        stamp.at,
        format!("{} goes back to {}, {why}", rollout.job.short(), to.short()),
    );
    let mut record = GroupRecord::clone(seen);
    record.group.job_id = Some(to.clone());
    record.group.rolling_update_reason = Some(RollingUpdateReason::Manual);
    record.rollout = Some(next);
    let audit = AuditRecord::new(stamp, "roll back").job(to).detail(name);
    let txn = Txn::new()
        .check(job_key, job.version)
        .update(key, seen.version, encode(&record));
    Ok(audited(txn, stamp, &audit))
}

/// The job that a rollback would go back to: the one that was settled last and is not what is rolled out.
#[must_use]
pub fn job_before(record: &GroupRecord) -> Option<&JobId> {
    let current = record.rollout.as_ref().map(|rollout| &rollout.job);
    let mut jobs = record.settled.iter().chain(&record.before);
    jobs.find(|job| Some(*job) != current)
}

/// What other selectors would change about a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The hosts that would join, in natural order.
    pub joining: Vec<HostName>,
    /// The hosts that would leave, in natural order.
    pub leaving: Vec<HostName>,
    /// How many would stay.
    pub staying: u64,
}

/// What [`edit_group`] would change.
#[must_use]
pub fn preview_edit(
    record: &GroupRecord,
    selectors: &[HostSelector],
    fleet: &FleetView,
) -> Preview {
    let mut preview = Preview::default();
    let mut edited = record.clone();
    edited.group.host_selectors = selectors.to_vec();
    let names = |record: &GroupRecord| -> Vec<HostName> {
        let members = Members::of(record, fleet, None);
        members.all.iter().map(|host| host.name.clone()).collect()
    };
    let (before, after) = (names(record), names(&edited));
    let is_in = |hosts: &[HostName], host: &HostName| hosts.binary_search(host).is_ok();
    for host in &after {
        if is_in(&before, host) {
            preview.staying += 1;
        } else {
            preview.joining.push(host.clone());
        }
    }
    preview.leaving = before
        .into_iter()
        .filter(|host| !is_in(&after, host))
        .collect();
    for list in [&mut preview.joining, &mut preview.leaving] {
        list.sort_by(|a, b| natural_cmp(a.as_str(), b.as_str()));
    }
    preview
}

fn key_of(name: &str) -> Result<Key, GroupRefused> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let key = Keys::group(name).ok();
    let key = key.filter(|_| name.len() <= NAME_BYTES_MAX && name.chars().all(is_legal));
    key.ok_or_else(|| GroupRefused::BadName {
        name: name.to_owned(),
    })
}

fn found<'a>(
    seen: Option<&'a Versioned<GroupRecord>>,
    name: &str,
) -> Result<(Key, &'a Versioned<GroupRecord>), GroupRefused> {
    let key = Keys::group(name).ok();
    key.zip(seen).ok_or_else(|| GroupRefused::GroupNotFound {
        group: name.to_owned(),
    })
}

fn under_way<'a>(record: &'a mut GroupRecord, name: &str) -> Result<&'a mut Rollout, GroupRefused> {
    let rollout = record.rollout.as_mut();
    let rollout = rollout.filter(|rollout| rollout.state == RolloutState::RollingOut);
    rollout.ok_or_else(|| GroupRefused::NoRollout {
        group: name.to_owned(),
        what: "under way",
    })
}

fn update(
    key: Key,
    seen: &Versioned<GroupRecord>,
    record: &GroupRecord,
    stamp: &Stamp,
    action: &str,
    detail: &str,
) -> Txn {
    let audit = AuditRecord::new(stamp, action).detail(detail);
    audited(
        Txn::new().update(key, seen.version, encode(record)),
        stamp,
        &audit,
    )
}

fn selectors_text(selectors: &[HostSelector]) -> String {
    let texts: Vec<String> = selectors.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
