//! Where the stores of these tests are: in a folder, or in a bucket of a service in this process.

use super::super::backend::Backend;
use super::super::bucket::{Bucket, BucketKeys, BucketPlace, BucketUse, Patience};
use super::super::folder::Folder;
use super::service::{ID, SECRET, Service};
use super::{Identities, Store, identity, room, scratch};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Where a store is.
pub(super) enum Home {
    Folder(tempfile::TempDir),
    Bucket(Remote),
}

/// A bucket that is forgotten at the end.
pub(super) struct Remote {
    pub(super) service: Arc<Service>,
    pub(super) name: String,
    pub(super) patience: Patience,
}

/// As patient as a test may be.
pub(super) fn patience() -> Patience {
    Patience {
        tries: 4,
        pause: Duration::from_millis(2),
        timeout: Duration::from_secs(5),
        outlast: Duration::ZERO,
        part: 8 << 20,
        ..Patience::default()
    }
}

impl Remote {
    /// A bucket in a service that others use, too.
    fn shared() -> Self {
        static SERVICE: OnceLock<Arc<Service>> = OnceLock::new();
        Self::of(SERVICE.get_or_init(Service::start).clone())
    }

    /// A bucket in a service of its own.
    pub(super) fn alone() -> Self {
        Self::of(Service::start())
    }

    fn of(service: Arc<Service>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bucket-{}", NEXT.fetch_add(1, Ordering::SeqCst));
        service.make(&name);
        Self { service, name, patience: patience() }
    }

    /// A bucket with the same in it.
    pub(super) fn copy(&self) -> Self {
        let mut copy = Self::of(self.service.clone());
        copy.patience = self.patience;
        self.service.copy(&self.name, &copy.name);
        copy
    }

    pub(super) fn usage(&self) -> BucketUse {
        let text = format!("s3://{}/some/place?endpoint={}&region=ca-test-1", self.name, self.service.address);
        BucketUse {
            place: BucketPlace::parse(&text).unwrap(),
            keys: BucketKeys::new(ID, SECRET.into(), None).unwrap(),
            holder: "a test".into(),
            cache: None,
        }
    }

    pub(super) fn backend(&self) -> Bucket {
        Bucket::new(&self.usage(), self.patience).unwrap()
    }

    /// Opens the store, as another program would.
    pub(super) fn open(&self) -> super::super::Result<Arc<Store>> {
        self.open_as(&self.usage(), identity())
    }

    pub(super) fn open_as(&self, usage: &BucketUse, identities: Identities) -> super::super::Result<Arc<Store>> {
        let backend = Bucket::new(usage, self.patience).unwrap();
        Store::begin(Box::new(backend), identities).map(Arc::new)
    }

    /// The names in the store, without locks.
    pub(super) fn names(&self) -> Vec<String> {
        let all = self.service.keys(&self.name);
        let names = all.iter().filter_map(|key| key.strip_prefix("some/place/"));
        names.filter(|name| !name.starts_with("locks/")).map(str::to_owned).collect()
    }

    /// Lets all locks run out.
    pub(super) fn wait_for_locks(&self) {
        self.service.pass(self.patience.lease + self.patience.margin + 2_000);
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.service.forget(&self.name);
    }
}

impl Home {
    /// One of each.
    pub(super) fn both() -> [Self; 2] {
        [Self::Folder(scratch()), Self::Bucket(Remote::shared())]
    }

    pub(super) fn open(&self) -> Arc<Store> {
        match self {
            Self::Folder(folder) => super::open(folder.path()),
            Self::Bucket(remote) => remote.open().unwrap(),
        }
    }

    pub(super) fn backend(&self) -> Box<dyn Backend> {
        match self {
            Self::Folder(folder) => Box::new(Folder::new(folder.path())),
            Self::Bucket(remote) => Box::new(remote.backend()),
        }
    }

    /// The bytes of all files.
    pub(super) fn room(&self) -> u64 {
        match self {
            Self::Folder(folder) => room(folder.path()),
            Self::Bucket(remote) => remote.service.room(&remote.name),
        }
    }

    /// Changes a file behind the store's back; it is named as messages name it, or as the store does.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Folder(folder) => {
                let file = folder.path().join(name);
                let mut bytes = std::fs::read(&file).unwrap();
                change(&mut bytes);
                std::fs::write(&file, bytes).unwrap();
            }
            Self::Bucket(remote) => {
                let root = format!("s3://{}/", remote.name);
                let key = name.strip_prefix(&root).map_or_else(|| format!("some/place/{name}"), str::to_owned);
                let mut bytes = remote.service.bytes(&remote.name, &key);
                change(&mut bytes);
                remote.service.put(&remote.name, &key, bytes);
            }
        }
    }

    /// Everything verifies, and what was promised is there with its right content.
    pub(super) fn assert_whole(&self, promised: &[(super::SiteName, super::SnapshotName)], when: &str) {
        super::assert_store_whole(&self.open(), promised, when);
    }
}
