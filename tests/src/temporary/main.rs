//! `TemporaryJobs`: the same test bodies on an engine in memory, on Docker, and on a cluster by its address.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod on_cluster;
#[cfg(test)]
mod on_docker;
#[cfg(test)]
mod on_fake;
