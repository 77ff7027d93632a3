//! Every backend keeps every guarantee of its port, and the suites that say so catch planted bugs.

#[cfg(test)]
mod store_file;
#[cfg(test)]
mod store_file_kill;
#[cfg(test)]
mod store_memory;
#[cfg(test)]
mod store_self_check;
