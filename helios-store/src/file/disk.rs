//! The database file: what is in it, and how a write becomes durable or is known not to be.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use helios_core::store::{Entry, Key, StoreErrorKind, Version};
use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
};

use super::failure::Failure;
use crate::tree::{Changed, Tree};

/// Version and value of every lasting entry, by the written form of its key.
const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");

/// What must be known of the file as a whole.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Names the layout of the two tables.
const FORMAT: &str = "format";
const FORMAT_NOW: u64 = 1;

/// Counts the writes, so that the file itself can tell whether a failed one took effect.
const WRITES: &str = "writes";

/// All entries are in memory already: the database needs no cache of its own to speak of.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Opens the database in an existing file.
pub(super) type Opener = Box<dyn Fn(&Path) -> Result<Database, DatabaseError> + Send>;

/// The database of one directory, locked against everybody else.
pub(super) struct Disk {
    path: PathBuf,
    opener: Opener,
    /// Absent after a fault, until the file could be opened again.
    database: Option<Database>,
    /// How many writes the file is known to hold.
    writes: u64,
    _lock: File,
}

/// What became of a write.
pub(super) enum Fate {
    Written,
    /// It did not happen and never will.
    NotWritten(Failure),
    /// It may show in the file, but the disk did not confirm it; [`Disk::settle`] tells as soon as the file
    /// can be opened again.
    Unknown(Failure),
}

impl Disk {
    /// Opens or makes the database in `dir` and reads all of it.
    pub(super) fn open(dir: &Path) -> Result<(Self, Tree), Failure> {
        Self::open_with(dir, Box::new(open_file))
    }

    pub(super) fn open_with(dir: &Path, opener: Opener) -> Result<(Self, Tree), Failure> {
        let at_dir = |tried| move |error: io::Error| Failure::of(dir, tried, error);
        make_dir(dir).map_err(at_dir("make the directory of the store"))?;
        let lock = lock(dir)?;
        let path = dir.join("helios.redb");
        if !path.try_exists().map_err(at_dir("look for the store"))? {
            create(dir, &path)?;
        }
        if fs::metadata(&path).is_ok_and(|file| file.len() == 0) {
            return Err(Failure::corrupt(&path, "it is empty"));
        }
        let mut disk = Self {
            path,
            opener,
            database: None,
            writes: 0,
            _lock: lock,
        };
        let (database, tree, writes) = disk.guard(|disk| {
            let mut database = disk.reopen()?;
            disk.verify(&mut database)?;
            let (tree, writes) = disk.load(&database)?;
            Ok((database, tree, writes))
        })?;
        disk.database = Some(database);
        disk.writes = writes;
        Ok((disk, tree))
    }

    /// Makes all lasting ones among `changed` durable, or none.
    pub(super) fn write(&mut self, changed: &[Changed]) -> Fate {
        if changed.iter().all(|changed| changed.owner.is_some()) {
            return Fate::Written;
        }
        let (database, transaction) = match self.transact(changed) {
            Ok(begun) => begun,
            // Without a commit there is nothing to undo; the next write opens the file anew.
            Err(failure) => return Fate::NotWritten(failure),
        };
        match transaction.commit() {
            Ok(()) => {
                self.database = Some(database);
                self.writes += 1;
                Fate::Written
            }
            Err(error) => {
                drop(database);
                let failure = self.failure("commit", error);
                match self.peek() {
                    Ok(writes) if writes == self.writes => Fate::NotWritten(failure),
                    _ => Fate::Unknown(failure.indeterminate()),
                }
            }
        }
    }

    /// Opens the file again after a fault and says whether it holds a write more than was known.
    pub(super) fn settle(&mut self) -> Result<bool, Failure> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.guard(Self::reopen)?,
        };
        let writes = self.guard(|disk| disk.meta(&database, WRITES))?;
        let happened = writes == self.writes + 1;
        if !happened && writes != self.writes {
            let acknowledged = self.writes;
            let found = format!("it holds {writes} writes where {acknowledged} were acknowledged");
            return Err(Failure::corrupt(&self.path, &found));
        }
        self.database = Some(database);
        self.writes = writes;
        Ok(happened)
    }

    /// How many writes the file shows. Looks at a copy in memory, which can be repaired even while the disk
    /// refuses every change.
    fn peek(&self) -> Result<u64, Failure> {
        self.guard(|disk| {
            let copy = || -> Result<Database, redb::Error> {
                let backend = InMemoryBackend::new();
                let bytes = fs::read(&disk.path)?;
                backend.set_len(bytes.len() as u64)?;
                backend.write(0, &bytes)?;
                Ok(Database::builder().create_with_backend(backend)?)
            };
            let copy = copy().map_err(|error| disk.failure("read", error))?;
            disk.meta(&copy, WRITES)
        })
    }

    #[cfg(test)]
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// Everything of a write but the commit. Takes the database out, which is of no use after a fault.
    fn transact(
        &mut self,
        changed: &[Changed],
    ) -> Result<(Database, redb::WriteTransaction), Failure> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.guard(Self::reopen)?,
        };
        let put = || -> Result<redb::WriteTransaction, redb::Error> {
            let transaction = database.begin_write()?;
            let mut entries = transaction.open_table(ENTRIES)?;
            for Changed { key, entry, .. } in lasting(changed) {
                match entry {
                    Some(entry) => {
                        entries.insert(key.as_str(), (entry.version.as_raw(), &*entry.value))?
                    }
                    None => entries.remove(key.as_str())?,
                };
            }
            drop(entries);
            let mut meta = transaction.open_table(META)?;
            meta.insert(WRITES, self.writes + 1)?;
            drop(meta);
            Ok(transaction)
        };
        let transaction = put().map_err(|error| self.failure("write", error))?;
        Ok((database, transaction))
    }

    fn reopen(&self) -> Result<Database, Failure> {
        (self.opener)(&self.path).map_err(|error| self.failure("open", error))
    }

    /// Compares all checksums: what is damaged must never pass for what somebody wanted.
    fn verify(&self, database: &mut Database) -> Result<(), Failure> {
        match database.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::corrupt(&self.path, "the file was damaged")),
            Err(error) => Err(self.failure("verify", error)),
        }
    }

    fn load(&self, database: &Database) -> Result<(Tree, u64), Failure> {
        let format = self.meta(database, FORMAT)?;
        if format != FORMAT_NOW {
            let found = format!(
                "it has format {format}, this program reads format {FORMAT_NOW}: use the one that wrote it"
            );
            return Err(Failure::corrupt(&self.path, &found));
        }
        let mut tree = Tree::default();
        self.each_entry(database, |key, entry| {
            let (entry, owner) = (Some(entry), None);
            tree.replay(&Changed { key, entry, owner });
        })?;
        Ok((tree, self.meta(database, WRITES)?))
    }

    fn each_entry(
        &self,
        database: &Database,
        mut each: impl FnMut(Key, Entry),
    ) -> Result<(), Failure> {
        let mut read = || -> Result<Option<String>, redb::Error> {
            let table = database.begin_read()?.open_table(ENTRIES)?;
            for row in table.iter()? {
                let (key, stored) = row?;
                let Ok(key) = Key::new(key.value()) else {
                    return Ok(Some(format!("{:?} is no key", key.value())));
                };
                let (version, value) = stored.value();
                let value = Bytes::copy_from_slice(value);
                let version = Version::from_raw(version);
                each(key, Entry { value, version });
            }
            Ok(None)
        };
        match read().map_err(|error| self.failure("read", error))? {
            Some(found) => Err(Failure::corrupt(&self.path, &found)),
            None => Ok(()),
        }
    }

    fn meta(&self, database: &Database, name: &str) -> Result<u64, Failure> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = database.begin_read()?.open_table(META)?;
            Ok(table.get(name)?.map(|number| number.value()))
        };
        match read().map_err(|error| self.failure("read", error))? {
            Some(number) => Ok(number),
            None => Err(Failure::corrupt(
                &self.path,
                &format!("it is no Helios store: it has no {name}"),
            )),
        }
    }

    /// A damaged file may make the database panic where it would better say so.
    fn guard<T>(&self, work: impl FnOnce(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        panic::catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|_| Err(Failure::corrupt(&self.path, "the file is damaged")))
    }

    fn failure(&self, tried: &str, error: impl Into<redb::Error>) -> Failure {
        Failure::of(&self.path, tried, error)
    }
}

fn lasting(changed: &[Changed]) -> impl Iterator<Item = &Changed> {
    changed.iter().filter(|changed| changed.owner.is_none())
}

fn open_file(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder().set_cache_size(CACHE_BYTES).open(path)
}

fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir)?;
    dir.canonicalize()?.parent().map_or(Ok(()), sync_dir)
}

/// Takes the directory for this store alone; the system gives it back when the process dies.
fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join("lock");
    let file = private_file(&path).map_err(|error| Failure::of(&path, "open", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!(
                "{} is open already, in this process or another; a file store has one at a time",
                dir.display()
            );
            Err(Failure::new(StoreErrorKind::Unavailable, message))
        }
        Err(TryLockError::Error(error)) => Err(Failure::of(&path, "lock", error)),
    }
}

/// Makes an empty database under another name first, so that a file of the right name is always whole:
/// an empty one can then only be a damaged one.
fn create(dir: &Path, path: &Path) -> Result<(), Failure> {
    let new = dir.join("helios.redb.new");
    let make = || -> Result<(), redb::Error> {
        if new.try_exists()? {
            fs::remove_file(&new)?;
        }
        let database = Database::builder().create_file(private_file(&new)?)?;
        let transaction = database.begin_write()?;
        transaction.open_table(ENTRIES)?;
        let mut meta = transaction.open_table(META)?;
        meta.insert(FORMAT, FORMAT_NOW)?;
        meta.insert(WRITES, 0)?;
        drop(meta);
        transaction.commit()?;
        drop(database);
        fs::rename(&new, path)?;
        sync_dir(dir)?;
        Ok(())
    };
    make().map_err(|error| Failure::of(path, "make", error))
}

/// Opens or makes a file that nobody but its owner may read: values may hold secrets.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a directory as durable as what they name.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
