//! Deployment groups and their rolling updates.

use helios_core::model::DeploymentGroup;
use http::{Method, StatusCode};

use super::query::{ListQuery, Target};
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{
    CreateDeploymentGroupResponse, DeploymentGroupStatusResponse, EditDeploymentGroupResponse,
    RemoveDeploymentGroupResponse, RollingUpdateRequest, RollingUpdateResponse,
    RolloutPlanResponse,
};

const GROUP: &str = "deployment-group";

impl Client {
    /// The names of the deployment groups, sorted.
    ///
    /// # Errors
    /// As for every question: see [`ClientErrorKind`](super::ClientErrorKind). `Refused` when the pattern is none.
    pub async fn deployment_groups(&self, query: &ListQuery) -> Result<Vec<String>, ClientError> {
        let request = Request::get(query.of(GROUP));
        self.send(request).await?.found()
    }

    /// The group of that name, if there is one.
    ///
    /// # Errors
    /// As for every question.
    pub async fn deployment_group(
        &self,
        name: &str,
    ) -> Result<Option<DeploymentGroup>, ClientError> {
        let target = Target::path(&[GROUP, name]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// How the group of that name is doing, if there is one.
    ///
    /// # Errors
    /// As for every question.
    pub async fn deployment_group_status(
        &self,
        name: &str,
    ) -> Result<Option<DeploymentGroupStatusResponse>, ClientError> {
        let target = Target::path(&[GROUP, name, "status"]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// Creates a group.
    ///
    /// # Errors
    /// As for every change.
    pub async fn create_deployment_group(
        &self,
        group: &DeploymentGroup,
    ) -> Result<CreateDeploymentGroupResponse, ClientError> {
        let target = Target::path(&[GROUP]);
        let request = Request::change(Method::POST, target).with_body(group)?;
        self.send(request).await?.outcome()
    }

    /// Removes a group; what it deployed stays deployed.
    ///
    /// # Errors
    /// As for every change.
    pub async fn remove_deployment_group(
        &self,
        name: &str,
    ) -> Result<RemoveDeploymentGroupResponse, ClientError> {
        let target = Target::path(&[GROUP, name]);
        let request = Request::change(Method::DELETE, target);
        self.send(request).await?.outcome()
    }

    /// Starts a rolling update of a group; one that is under way is replaced.
    ///
    /// # Errors
    /// As for every change.
    pub async fn rolling_update(
        &self,
        name: &str,
        request: &RollingUpdateRequest,
    ) -> Result<RollingUpdateResponse, ClientError> {
        let target = Target::path(&[GROUP, name, "rolling-update"]);
        let request = Request::change(Method::POST, target).with_body(request)?;
        self.send(request).await?.outcome()
    }

    /// What a rolling update would do. Nothing is changed.
    ///
    /// # Errors
    /// As for every question; `Refused` when an option is no use.
    pub async fn plan_rolling_update(
        &self,
        name: &str,
        request: &RollingUpdateRequest,
    ) -> Result<RolloutPlanResponse, ClientError> {
        let target = Target::path(&[GROUP, name, "plan"]);
        self.send(Request::query(target, request)?).await?.outcome()
    }

    /// Gives the group of that name the selectors of `group`.
    ///
    /// # Errors
    /// As for every change.
    pub async fn edit_deployment_group(
        &self,
        group: &DeploymentGroup,
    ) -> Result<EditDeploymentGroupResponse, ClientError> {
        let target = Target::path(&[GROUP, &group.name]);
        let request = Request::change(Method::PUT, target).with_body(group)?;
        self.send(request).await?.outcome()
    }

    /// What [`edit_deployment_group`](Self::edit_deployment_group) would change. Nothing is.
    ///
    /// # Errors
    /// As for every question.
    pub async fn preview_deployment_group(
        &self,
        group: &DeploymentGroup,
    ) -> Result<EditDeploymentGroupResponse, ClientError> {
        let target = Target::path(&[GROUP, &group.name]).with("preview", "true");
        let request = Request::change(Method::PUT, target).with_body(group)?;
        self.send(request).await?.outcome()
    }

    /// Pauses the rolling update of a group. False when there is no such group.
    ///
    /// # Errors
    /// As for every change; `Refused` when none is under way.
    pub async fn pause_deployment_group(&self, name: &str) -> Result<bool, ClientError> {
        self.tell_group(Target::path(&[GROUP, name, "pause"])).await
    }

    /// Resumes the rolling update of a group, to pause again once `stop_after` more hosts were started, if that
    /// is given. False when there is no such group.
    ///
    /// # Errors
    /// As for every change; `Refused` when none is under way.
    pub async fn resume_deployment_group(
        &self,
        name: &str,
        stop_after: Option<u32>,
    ) -> Result<bool, ClientError> {
        let stop_after = stop_after.map(|hosts| hosts.to_string());
        let target = Target::path(&[GROUP, name, "resume"]);
        self.tell_group(target.with_any("stopAfter", stop_after.as_deref()))
            .await
    }

    /// Takes the last rolling update of a group back. False when there is no such group.
    ///
    /// # Errors
    /// As for every change; `Refused` when there is nothing to go back to.
    pub async fn roll_back_deployment_group(&self, name: &str) -> Result<bool, ClientError> {
        self.tell_group(Target::path(&[GROUP, name, "rollback"]))
            .await
    }

    /// Stops the rolling update of a group. False when there is no such group.
    ///
    /// # Errors
    /// As for every change.
    pub async fn stop_deployment_group(&self, name: &str) -> Result<bool, ClientError> {
        self.tell_group(Target::path(&[GROUP, name, "stop"])).await
    }

    async fn tell_group(&self, target: Target) -> Result<bool, ClientError> {
        let reply = self.send(Request::change(Method::POST, target)).await?;
        match reply.status {
            status if status.is_success() => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(reply.into_error()),
        }
    }
}
