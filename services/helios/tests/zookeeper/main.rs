//! The binary on a real ZooKeeper server.

#[cfg(test)]
mod init_acl;
