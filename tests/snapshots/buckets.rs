//! Stores in a bucket, as the program and its commands use them.

use super::service::{ID, SECRET, Service};
use super::*;
use intendant::snapshot::{BucketKeys, BucketPlace, BucketUse, Identities};
use std::os::unix::fs::PermissionsExt as _;

/// A bucket, and a folder from which the program is started.
struct Remote {
    service: Arc<Service>,
    folder: tempfile::TempDir,
}

impl Remote {
    fn new() -> Self {
        let remote = Self { service: Service::start(), folder: tempfile::tempdir().unwrap() };
        remote.service.make("web-snapshots");
        std::fs::create_dir(remote.folder.path().join("plans")).unwrap();
        remote.settings("");
        remote
    }

    fn place(&self) -> String {
        format!("s3://web-snapshots/fleet?region=ca-test-1&endpoint={}", self.service.address)
    }

    fn settings(&self, more: &str) {
        let text = format!("settings: 1\nsnapshots: {}{more}\n", self.place());
        std::fs::write(self.folder.path().join("intendant.yaml"), text).unwrap();
    }

    fn store(&self) -> Arc<Store> {
        let usage = BucketUse {
            place: BucketPlace::parse(&self.place()).unwrap(),
            keys: BucketKeys::new(ID, SECRET.into(), None).unwrap(),
            holder: "a test".into(),
            cache: None,
        };
        Arc::new(Store::open_bucket(&usage, Identities::none("none is given")).unwrap())
    }

    /// Runs the program: its code, and all that it says.
    fn run(&self, arguments: &[&str], keys: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(keys.iter().copied());
        command.env("PATH", USUAL_PATH).env("HOME", self.folder.path()).env("INTENDANT_LOG", "debug");
        let ended = command.output().unwrap();
        let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(!said.contains(SECRET) && !said.contains("X-Amz"), "{said}");
        (ended.status.code().unwrap(), said)
    }
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_gives_back_what_it_was_given() {
    let (place, remote) = (Place::new(), Remote::new());
    sh(&place.root, ODD_TREE);
    let before = place.picture();
    let store = remote.store();
    let first = capture(&place.source(), &store, &request(), &quiet()).await.unwrap();
    let second = capture(&place.source(), &remote.store(), &request(), &quiet()).await.unwrap();
    assert_eq!((second.manifest.id(), second.stats.bytes_new), (first.manifest.id(), 0));
    sh(&place.root, "rm -r noise deep; echo other > run; mkdir new");
    let target = first.name.clone();
    let request = RestoreRequest { now: now(), target, only: Vec::new(), last: Vec::new(), rows: None };
    let restored = prepare(&place.source(), &store, request, &quiet()).await.unwrap().apply(&quiet()).await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(left(&restored).is_empty(), "{}", restored.left);
    let verified = verify(&remote.store(), None, Depth::EveryByte, &quiet()).await.unwrap();
    assert!(verified.ok() && verified.snapshots == 3, "{verified:?}");
    drop(store);
    let left = remote.service.keys("web-snapshots").into_iter().filter(|key| key.contains("/locks/"));
    assert_eq!(left.collect::<Vec<_>>(), ["fleet/locks/probe"], "all locks were given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_with_a_bucket() {
    let (place, remote) = (Place::new(), Remote::new());
    sh(&place.root, "echo one > file; head -c 100000 /dev/urandom > noise");
    let taken = capture(&place.source(), &remote.store(), &request(), &quiet()).await.unwrap().name.to_string();
    let good = |arguments: &[&str], what: &str| {
        let (code, said) = remote.run(arguments, &KEYS);
        assert!(code == 0 && said.contains(what), "{arguments:?}: {code}\n{said}");
    };
    good(&["snapshot", "list"], &taken);
    good(&["snapshot", "show", "here", &taken], "2 files");
    good(&["snapshot", "verify"], "1 snapshot");
    good(&["snapshot", "repair"], "");
    good(&["snapshot", "export", "here", "--to", "one.tar.zst"], "");
    good(&["snapshot", "encrypt"], "not encrypted");
    let other = Remote::new();
    std::fs::copy(remote.folder.path().join("one.tar.zst"), other.folder.path().join("one.tar.zst")).unwrap();
    let (code, said) = other.run(&["snapshot", "import", "one.tar.zst"], &KEYS);
    assert_eq!(code, 0, "{said}");
    let (_, listed) = other.run(&["snapshot", "list", "here"], &KEYS);
    assert!(listed.contains(&taken), "{listed}");
    // A copy of each index is kept on this machine.
    assert_eq!(std::fs::read_dir(remote.folder.path().join(".cache/intendant/buckets")).unwrap().count(), 1);
}

#[test]
fn keys_are_given_by_reference_only() {
    let remote = Remote::new();
    let lines = format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n");
    let keys = remote.folder.path().join("keys");
    std::fs::write(&keys, &lines).unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
    let list = ["snapshot", "list"];
    remote.settings("&credentials=file:keys");
    assert_eq!(remote.run(&list, &[]).0, 0);
    remote.settings("&credentials=env:INTENDANT_KEYS");
    assert_eq!(remote.run(&list, &[("INTENDANT_KEYS", &lines)]).0, 0);
    let wrong = [
        ("", vec![], "set AWS_ACCESS_KEY_ID"),
        ("", vec![("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", "other")], "SignatureDoesNotMatch"),
        ("&credentials=file:none", KEYS.to_vec(), "No such file"),
        ("&credentials=env:INTENDANT_KEYS", KEYS.to_vec(), "it is not set"),
        ("&credentials=env:KEYS", vec![("KEYS", lines.as_str())], "has to begin with INTENDANT_"),
        ("&secret=hunter2/hunter2+hunter2", KEYS.to_vec(), "is not known"),
    ];
    for (more, variables, what) in wrong {
        remote.settings(more);
        let (code, said) = remote.run(&list, &variables);
        assert!(code != 0 && said.contains(what), "{more} {code}: {said}");
    }
}
