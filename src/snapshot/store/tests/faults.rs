//! Every effect on the disk fails in turn, and nothing works after it: as when the machine stops.

use super::super::Backend;
use super::super::backend::{Held, Object, Upload};
use super::*;
use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, Ordering};

/// Effects in all that are failed in captures, and in prunes.
const EFFECTS: usize = 200;

/// Lets so many effects through. The one at which it ends is done or not, as `half` says; then
/// nothing is done any more.
struct Dying {
    inner: Folder,
    left: Arc<AtomicI64>,
    half: bool,
}

fn dead() -> io::Error {
    io::Error::other("the machine stopped")
}

impl Dying {
    /// Whether the effect is done, and whether it is reported as done.
    fn effect<T>(left: &AtomicI64, half: bool, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match left.fetch_sub(1, Ordering::SeqCst) {
            1.. => act(),
            0 if half => act().and_then(|_| Err(dead())),
            _ => Err(dead()),
        }
    }
}

struct DyingUpload {
    inner: Box<dyn Upload>,
    left: Arc<AtomicI64>,
    half: bool,
}

impl Write for DyingUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Dying::effect(&self.left, self.half, || self.inner.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Upload for DyingUpload {
    fn commit(self: Box<Self>) -> io::Result<()> {
        let Self { inner, left, half } = *self;
        Dying::effect(&left, half, || inner.commit())
    }
}

impl Backend for Dying {
    fn create(&self, name: &str) -> io::Result<Box<dyn Upload>> {
        let inner = Self::effect(&self.left, self.half, || self.inner.create(name))?;
        Ok(Box::new(DyingUpload { inner, left: self.left.clone(), half: self.half }))
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn Object>> {
        self.inner.open(name)
    }
    fn range(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.inner.range(name, offset, length)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        self.inner.list(folder)
    }
    fn lock(&self, name: &str, shared: bool) -> io::Result<Option<Box<dyn Held>>> {
        self.inner.lock(name, shared)
    }
    fn remove(&self, names: &[String]) -> io::Result<()> {
        let one = |name| Self::effect(&self.left, self.half, || self.inner.remove(std::slice::from_ref(name)));
        names.iter().try_for_each(one)
    }
    fn clean(&self) -> io::Result<()> {
        Self::effect(&self.left, self.half, || self.inner.clean())
    }
    fn shown(&self, name: &str) -> String {
        self.inner.shown(name)
    }
}

/// A store with two sites and some snapshots that will be dropped.
pub(super) fn begin(folder: &Path, seed: u64) {
    let store = open(folder);
    for generation in seed..seed + 6 {
        capture(&store, "a", generation).unwrap();
        capture(&store, "b", generation * 3).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Does the work again and again, each time with a few more effects, until it is not stopped any
/// more; returns how often it was.
pub(super) fn stop_everywhere(template: &Path, half: bool, step: usize, work: &dyn Fn(&Arc<Store>) -> bool) -> usize {
    for effects in (0..).step_by(step) {
        let folder = scratch();
        copy(template, folder.path());
        let kept = |store: &Store| {
            let kept = ["a", "b"].into_iter().flat_map(|name| store.list(&site(name)).unwrap().split_off(4));
            kept.map(|one| (one.site, one.name)).collect::<Vec<_>>()
        };
        let promised = kept(&open(folder.path()));
        assert_eq!(promised.len(), 4);
        let inner = Folder::new(folder.path());
        let backend = Dying { inner, left: Arc::new(AtomicI64::new(effects)), half };
        let store = Arc::new(Store::with(Box::new(backend), identity()));
        let ended = work(&store);
        drop(store);
        let when = format!("stopped at effect {effects}, half done: {half}");
        assert_whole(folder.path(), &promised, &when);
        // Those who come after it are not disturbed, and clean up.
        let store = open(folder.path());
        let next = capture(&store, "a", 1_000).unwrap();
        let pruned = drop_all(&store, &all_but(&store, "b", 2)).unwrap();
        assert!(pruned.left.is_empty(), "{when}: {pruned:?}");
        assert_whole(folder.path(), &[(site("a"), next)], &when);
        assert_eq!(std::fs::read_dir(folder.path().join("unfinished")).unwrap().count(), 0, "{when}");
        if ended {
            return effects as usize / step;
        }
    }
    0
}

fn enough(work: &dyn Fn(&Arc<Store>) -> bool) {
    let mut stopped = 0;
    for seed in 0.. {
        if stopped >= EFFECTS {
            break;
        }
        let template = scratch();
        begin(template.path(), seed * 100);
        stopped += stop_everywhere(template.path(), seed % 2 == 1, 1, work);
    }
    println!("stopped {stopped} times");
}

#[test]
fn a_capture_that_is_stopped_at_any_effect_hurts_nothing() {
    enough(&|store| capture(store, "b", 77_777).is_ok());
}

#[test]
fn a_prune_that_is_stopped_at_any_effect_hurts_nothing() {
    enough(&|store| {
        let going: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(store, name, 2)).collect();
        drop_all(store, &going).is_ok()
    });
}
