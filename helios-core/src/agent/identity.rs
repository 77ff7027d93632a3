//! Who an agent is.

use crate::runtime::Owner;
use crate::state_dir::{StateDir, StateDirError};

const DOCUMENT: &str = "agent-id";

/// The identity of an agent: drawn once, kept in its state directory, and the owner of its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentId(Owner);

impl AgentId {
    /// The identity kept in the state directory, or a new one that is then kept there: `proposed` if there
    /// is one, else drawn at random.
    ///
    /// # Errors
    /// [`StateDirError`] when the directory cannot be read or written, or the text in it or the proposed
    /// one cannot own containers.
    ///
    /// # Cancellation
    /// Either nothing was kept, or the identity was.
    pub async fn load(state: &dyn StateDir, proposed: Option<&str>) -> Result<Self, StateDirError> {
        if let Some(kept) = state.load(DOCUMENT).await? {
            return Self::new(String::from_utf8_lossy(&kept).trim().to_owned());
        }
        let id = match proposed {
            Some(id) => Self::new(id.to_owned())?,
            None => Self::new(draw()?)?,
        };
        state.save(DOCUMENT, id.as_str().as_bytes()).await?;
        Ok(id)
    }

    /// The identity of that text.
    ///
    /// # Errors
    /// [`StateDirError`] when the text cannot own containers.
    pub fn new(text: impl Into<String>) -> Result<Self, StateDirError> {
        let owner = Owner::new(text).map_err(|error| {
            StateDirError::new("this is no agent id: set another one, or empty the state directory")
                .caused_by(error)
        })?;
        Ok(Self(owner))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Under which its containers are kept.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.0
    }
}

/// Twenty hex digits that nobody else has.
pub(super) fn draw() -> Result<String, StateDirError> {
    let mut bytes = [0_u8; 10];
    getrandom::fill(&mut bytes)
        .map_err(|error| StateDirError::new("no randomness for an agent id").caused_by(error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
