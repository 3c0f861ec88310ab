//! Encrypted stores of real trees: read by who has the identity and by the program `age`, written by
//! who has none.

use super::*;
use intendant::remote::Shell as _;
use intendant::snapshot::{Identities, encrypt, repair};

/// An identity in a file, made by `age-keygen`, and its recipient.
struct Key {
    folder: tempfile::TempDir,
    recipient: String,
}

impl Key {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.txt");
        let made = Command::new("age-keygen").arg("-o").arg(&file).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let read = Command::new("age-keygen").arg("-y").arg(&file).output().unwrap();
        let recipient = String::from_utf8(read.stdout).unwrap().trim().to_owned();
        assert!(recipient.starts_with("age1"), "{recipient}");
        Self { folder, recipient }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("key.txt")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    /// The store of a place, for who has this identity.
    fn open(&self, place: &Place) -> Arc<Store> {
        let identities = Identities::read(&self.text().into()).unwrap();
        Arc::new(Store::open_with(&place.store, identities).unwrap())
    }
}

async fn restore(place: &Place, store: &Arc<Store>, to: &Captured) -> Result<Restored, SnapshotError> {
    let request =
        RestoreRequest { now: now(), target: to.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
    prepare(&place.source(), store, request, &quiet()).await?.apply(&quiet()).await
}

/// A place with an encrypted store.
async fn encrypted() -> (Place, Key) {
    let (place, key) = (Place::new(), Key::new());
    encrypt(&place.store(), std::slice::from_ref(&key.recipient), false, &quiet()).await.unwrap();
    (place, key)
}

#[tokio::test]
async fn an_encrypted_store_gives_back_what_it_was_given() {
    let (place, key) = encrypted().await;
    sh(&place.root, ODD_TREE);
    let before = place.picture();
    // What changed a moment before a snapshot is read again by the next one.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let store = key.open(&place);
    let first = capture(&place.source(), &store, &request(), &quiet()).await.unwrap();
    let second = capture(&place.source(), &store, &request(), &quiet()).await.unwrap();
    assert_eq!((second.manifest.id(), second.stats.bytes_new), (first.manifest.id(), 0));
    assert!(second.stats.files_known > 10 && second.since_previous.unwrap().is_empty());
    sh(&place.root, "chmod 0755 ro; rm -r 'a b' deep ro; printf x >> big; printf x > noise; ln -sf /tmp absolute");
    let restored = restore(&place, &store, &first).await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(left(&restored).is_empty(), "{}", restored.left);
    assert!(verify(&store, None, Depth::EveryByte, &quiet()).await.unwrap().ok());
}

/// All bytes of a folder.
fn room(folder: &Path) -> u64 {
    let output = Command::new("du").args(["-sb", folder.to_str().unwrap()]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_runner_with_recipients_only_writes_what_it_cannot_read() {
    let (place, key) = encrypted().await;
    sh(
        &place.root,
        "for n in $(seq 300); do head -c 20000 /dev/urandom > $n; done; printf secret-name > wp-config.php",
    );
    let before = place.picture();
    let first = place.capture().await.unwrap();
    let stored = room(&place.store);
    assert!(stored > 6_000_000, "{stored}");
    sh(&place.root, "printf more > 301");
    let second = place.capture().await.unwrap();
    // Everything was read again, and next to nothing of it stored again.
    assert_eq!((second.stats.files_known, second.stats.files_read, second.stats.bytes_new), (0, 302, 4));
    assert!(room(&place.store) - stored < 60_000, "{} more", room(&place.store) - stored);
    let listed = place.store().list(&first.manifest.header.site).unwrap();
    assert_eq!(listed.len(), 2);
    assert!(verify(&place.store(), None, Depth::Metadata, &quiet()).await.unwrap().ok());

    let now = place.picture();
    let golden = format!(
        "the snapshot store {} is encrypted to {}, and no identity is given; say where an identity is that reads it: \
         `identity: file:PATH` in the settings, or --identity file:PATH",
        place.store.display(),
        key.recipient
    );
    let of_manifest = |golden: &str| {
        let manifest = place.store.join(format!("sites/here/{}.manifest.age", first.name));
        golden.replace(&format!("the snapshot store {}", place.store.display()), &manifest.display().to_string())
    };
    assert_eq!(place.restore(&first, Vec::new(), &[]).await.unwrap_err().to_string(), of_manifest(&golden));
    let unread = [
        verify(&place.store(), None, Depth::EveryByte, &quiet()).await.map(drop),
        repair(&place.store(), &quiet()).await.map(drop),
    ];
    for error in unread {
        assert_eq!(error.unwrap_err().to_string(), golden);
    }
    let other = Key::new();
    let error = restore(&place, &other.open(&place), &first).await.unwrap_err().to_string();
    let golden = golden.replace("no identity is given", "none of the identities given is one of theirs");
    assert_eq!(error, of_manifest(&golden));
    assert_eq!(place.picture(), now, "nothing was touched");
    assert_eq!(place.store().list(&first.manifest.header.site).unwrap().len(), 2, "nor stored");

    restore(&place, &key.open(&place), &first).await.unwrap();
    assert_eq!(place.picture(), before);
}

/// A variable that may hold an identity is not for a site's own code.
#[tokio::test]
async fn variables_of_ours_reach_no_program_of_a_site() {
    const VARIABLE: &str = "INTENDANT_TEST_SECRET";
    if std::env::var_os(VARIABLE).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "encrypted::variables_of_ours_reach_no_program_of_a_site"]).env(VARIABLE, "secret");
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        return;
    }
    let output = LocalShell.run(&intendant::remote::Command::new(["env"])).await.unwrap();
    let text = output.text().into_owned();
    assert!(text.contains("PATH=") && !text.contains("INTENDANT_"), "{text}");
}

/// The commands of the format's page, as they stand there.
fn commands_of_the_page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/snapshot-format.md");
    let text = std::fs::read_to_string(page).unwrap();
    let mut blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains("age -d")).unwrap().to_owned()
}

#[tokio::test]
async fn age_and_tar_read_it_as_the_page_says() {
    let (place, key) = encrypted().await;
    place.write("hello", "hello");
    place.capture().await.unwrap();
    let script = commands_of_the_page();
    let mut packs = std::fs::read_dir(place.store.join("packs")).unwrap().map(|entry| entry.unwrap().path());
    let pack = packs.find(|path| path.to_str().unwrap().ends_with(".tar.zst.age")).unwrap();
    let mut manifests = std::fs::read_dir(place.store.join("sites/here")).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifests.find(|path| path.to_str().unwrap().ends_with(".manifest.age")).unwrap();
    let out = place.store.with_file_name("out");
    std::fs::create_dir(&out).unwrap();
    let script = format!(
        "PACK={}; MANIFEST={}; cp {} key.txt; exec > manifest.jsonl\n{script}",
        pack.display(),
        manifest.display(),
        key.file().display()
    );
    sh(&out, &script);
    // What came out: the manifest, whose second line names the entries, which name the content.
    let find = r#"entries=$(sed -n 2p manifest.jsonl | sed 's/.*"blake3":"\([0-9a-f]*\)".*/\1/')
        content=$(sed -n 's/.*"path":"hello".*"blake3":"\([0-9a-f]*\)".*/\1/p' "$entries")
        test "$(cat "$content")" = hello"#;
    sh(&out, find);
}
