//! Expectations on single calls.

use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec, Containers, RuntimeError};

mockall::mock! {
    /// A runtime that answers as it was told, call by call, and panics at any other call.
    ///
    /// ```
    /// use helios_core::Runtime;
    /// use helios_testkit::runtime::MockRuntime;
    ///
    /// # let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # rt.block_on(async {
    /// let mut runtime = MockRuntime::new();
    /// runtime.expect_pull().returning(|_| Ok(()));
    /// assert!(runtime.pull("nginx:1").await.is_ok());
    /// # });
    /// ```
    #[derive(Debug)]
    pub Runtime {}

    #[async_trait]
    impl Runtime for Runtime {
        async fn list(&self) -> Result<Containers, RuntimeError>;
        fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>>;
        async fn pull(&self, image: &str) -> Result<(), RuntimeError>;
        async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError>;
        async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError>;
        async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError>;
        async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError>;
    }
}
