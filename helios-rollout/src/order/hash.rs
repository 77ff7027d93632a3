//! The frozen hash that decides who comes first.

use crate::share::Share;

/// What a hash is for. Two purposes never share a value, so that nested decisions are not correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A host's place in its stratum, or against a threshold.
    Host,
    /// A stratum's place among its siblings.
    Stratum,
    /// Whether the strata below a node are merged forwards or backwards.
    Coin,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Stratum => "stratum",
            Self::Coin => "coin",
        }
    }
}

/// A frozen 64-bit hash of a purpose, a salt and a text.
///
/// FNV-1a over `helios-rollout/1`, the purpose, the salt and the text, each preceded by its length in eight
/// little-endian bytes, and then the 64-bit finaliser of MurmurHash3 so that every bit depends on every byte. It is not a defence
/// against somebody who may choose their host's name. It will not change: `vectors/hash.json` holds values that
/// every implementation must give, in any language.
///
/// ```
/// use helios_rollout::order::{Purpose, hash};
///
/// let here = hash(Purpose::Host, "docker-26", "web-1.example.net");
/// assert_eq!(here, hash(Purpose::Host, "docker-26", "web-1.example.net"));
/// assert_ne!(here, hash(Purpose::Host, "kernel-6", "web-1.example.net"));
/// ```
#[must_use]
pub fn hash(purpose: Purpose, salt: &str, text: &str) -> u64 {
    Salted::new(purpose, salt).hash(text)
}

/// A hash that has read its purpose and salt already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Salted(u64);

impl Salted {
    pub(crate) fn new(purpose: Purpose, salt: &str) -> Self {
        let fields = ["helios-rollout/1", purpose.name(), salt];
        Self(
            fields
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |state, field| read(state, field)),
        )
    }

    pub(crate) fn hash(self, text: &str) -> u64 {
        mix(read(self.0, text))
    }
}

fn read(state: u64, field: &str) -> u64 {
    let length = (field.len() as u64).to_le_bytes();
    let bytes = length.iter().chain(field.as_bytes());
    bytes.fold(state, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn mix(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// The share at which a host that knows no list of members changes: the least one above its hash, read as a number in [0, 1)
/// and moved round the circle by `rotation`.
///
/// `(hash * parts) >> 64`, in integers: no floats and no remainder, which would favour some hosts.
///
/// Rotating by `i/m` makes the early sets of `m` rollouts that share a salt disjoint while each is below `1/m` (R. Cranley and
/// T. Patterson, SIAM J. Numer. Anal. 13, 1976, used the same shift to randomise quadrature): no host gets two novelties, so blame is clear.
#[must_use]
pub fn threshold(salt: &str, host: &str, rotation: Share) -> Share {
    turn_of(hash(Purpose::Host, salt, host), rotation)
}

pub(crate) fn turn_of(hash: u64, rotation: Share) -> Share {
    let parts = (u128::from(hash) * u128::from(Share::PARTS)) >> 64;
    let turned = (parts + u128::from(rotation.parts())) % u128::from(Share::PARTS);
    Share::from_parts(u64::try_from(turned).unwrap_or(0) + 1)
}
