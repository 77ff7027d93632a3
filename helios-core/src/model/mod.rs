//! What is deployed: jobs and everything they are made of.
