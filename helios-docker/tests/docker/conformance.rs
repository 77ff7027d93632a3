//! Every guarantee of the port, on Docker.

use crate::harness::DockerHarness;

helios_testkit::runtime_conformance!(DockerHarness::new);
