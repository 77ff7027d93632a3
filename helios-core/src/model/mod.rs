//! What is deployed, and where: jobs, hosts, goals, and the text and JSON forms they travel in.
//!
//! Everything here is plain data. Reading is lenient where job files in the wild rely on it (numbers
//! for texts, either spelling of a member, members nobody knows); writing has one form. What a job
//! has to fulfil before anybody runs it is decided by [`validate`], not while reading.

#[macro_use]
mod read;
#[macro_use]
mod wire_enum;

mod agent_info;
mod canonical;
mod capabilities;
mod date;
mod deployment;
mod deployment_group;
mod docker_version;
mod goal;
mod health_check;
mod host_info;
mod host_name;
mod host_selector;
mod ip_literal;
mod job;
mod job_id;
mod natural_order;
mod number_text;
mod parse_error;
mod port_mapping;
mod read_error;
mod redacted;
mod registration;
mod resources;
mod rollout_options;
mod specs;
mod task_state;
mod throttle_state;
mod unknown_members;
mod validation;

pub use agent_info::AgentInfo;
pub use capabilities::Capabilities;
pub use date::{format_date, parse_date};
pub use deployment::Deployment;
pub use deployment_group::{DeploymentGroup, RollingUpdateReason};
pub use docker_version::DockerVersion;
pub use goal::Goal;
pub use health_check::HealthCheck;
pub use host_info::HostInfo;
pub use host_name::{HOST_NAME_BYTES_MAX, HostName};
pub use host_selector::{HostSelector, LabelTest, SelectorOperator};
pub use ip_literal::IpLiteral;
pub use job::Job;
#[cfg(test)]
pub(crate) use job::tests::jobs as any_job;
pub use job_id::JobId;
pub use natural_order::natural_cmp;
pub use parse_error::ParseError;
pub use port_mapping::PortMapping;
pub use read_error::ReadError;
pub use registration::{ServiceEndpoint, ServicePortParameters, ServicePorts};
pub use resources::Resources;
pub use rollout_options::{ResolvedRolloutOptions, RolloutOptions};
pub use specs::{parse_port_spec, parse_register_spec, parse_volume_spec};
pub use task_state::TaskState;
pub use throttle_state::ThrottleState;
pub use unknown_members::unknown_members;
pub use validation::{
    JOB_ID_BYTES_MAX, JOB_JSON_BYTES_MAX, MAP_ENTRIES_MAX, Rule, TEXT_BYTES_MAX, ValidationRules,
    Violation, validate,
};
