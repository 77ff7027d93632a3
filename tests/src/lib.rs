//! The Helios test tiers.
