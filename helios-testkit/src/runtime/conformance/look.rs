//! How the cases look at containers, and say what they saw instead.

use std::fmt::Debug;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::runtime::{Container, ContainerState, Containers, RuntimeError, RuntimeErrorKind};
use helios_core::{Runtime, with_causes};

/// A grace for processes that end sooner; short, since one that was asked before it could listen uses it up.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// What a call gave that must succeed.
#[track_caller]
pub(super) fn must<T>(outcome: Result<T, RuntimeError>, tried: &str) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!(
            "{tried} failed: {:?}: {}",
            error.kind(),
            with_causes(&error)
        ),
    }
}

/// The error of a call that must fail with one of these kinds.
#[track_caller]
pub(super) fn must_fail<T: Debug>(
    outcome: Result<T, RuntimeError>,
    kinds: &[RuntimeErrorKind],
    tried: &str,
) {
    match outcome {
        Ok(value) => panic!("{tried} succeeded with {value:?} instead of failing with {kinds:?}"),
        Err(error) => assert!(
            kinds.contains(&error.kind()),
            "{tried} failed with {:?} instead of {kinds:?}: {}",
            error.kind(),
            with_causes(&error)
        ),
    }
}

/// The container of that name, which must be there.
pub(super) async fn seen(runtime: &dyn Runtime, name: &str) -> Container {
    let list = must(runtime.list().await, "list");
    match list.get(name) {
        Some(container) => container.clone(),
        None => panic!("{name} is not among {list:?}"),
    }
}

/// Follows a watch until a look satisfies `wanted`; items that are errors are passed over.
pub(super) async fn follow_until(
    watch: &mut BoxStream<'static, Result<Containers, RuntimeError>>,
    wanted: impl Fn(&Containers) -> bool,
) -> Containers {
    loop {
        match watch.next().await {
            Some(Ok(look)) if wanted(&look) => return look,
            Some(_) => {}
            None => panic!("the watch ended"),
        }
    }
}

pub(super) fn runs(container: &Container) -> bool {
    container.state == ContainerState::Running
}

/// The exit code of a container that has ended.
pub(super) fn exit_code(container: &Container) -> Option<i64> {
    match &container.state {
        ContainerState::Exited(exit) => Some(exit.code),
        _ => None,
    }
}
