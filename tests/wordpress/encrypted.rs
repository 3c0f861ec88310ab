//! An encrypted store: who can't read it snapshots and changes nothing, who can does all the rest, and
//! the secret is written nowhere.

use crate::support::{Environment, Testbed, same};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Makes an identity in a file of the environment; returns its recipient and the secret.
fn make_key(shop: &Environment, name: &str) -> (String, String) {
    let file = shop.path(name);
    let made = Command::new("age-keygen").arg("-o").arg(&file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let after = |sign: &str| text.lines().find_map(|line| line.strip_prefix(sign)).unwrap();
    (after("# public key: ").to_owned(), format!("AGE-SECRET-KEY-{}", after("AGE-SECRET-KEY-")))
}

/// All files below a folder that hold this text.
fn holding(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holding(&path, text, found),
            false => {
                let bytes = std::fs::read(&path).unwrap();
                if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn what_cannot_be_read_is_no_undo_and_so_nothing_is_changed() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    let (recipient, secret) = make_key(&shop, "key.txt");
    let (stranger, _) = make_key(&shop, "other.txt");
    shop.intendant(&["snapshot", "encrypt", "--to", &secret])
        .ended(1, "a secret")
        .said("a secret, can't be encrypted to");
    shop.intendant(&["snapshot", "encrypt", "--to", &recipient])
        .ended(0, "encrypt")
        .said(&format!("the store is encrypted to {recipient}"))
        .said("no identity is given");

    let why = format!("is encrypted to {recipient}, and no identity is given; say where an identity is that reads it");
    shop.intendant(&["snapshot", "create", "shop"]).ended(0, "a snapshot").said("was not read again").said(&why);
    shop.intendant(&["snapshot", "list"]).ended(0, "list").said(&format!("encrypted to {recipient}"));
    shop.intendant(&["snapshot", "verify", "--quick"]).ended(0, "a quick look").said("all good");
    shop.intendant(&["snapshot", "verify"]).ended(1, "every byte").said(&why);
    shop.intendant(&["snapshot", "show", "shop"]).ended(1, "show").said(&recipient);
    shop.intendant(&["snapshot", "prune", "shop"]).ended(0, "prune");
    shop.intendant(&["doctor", "shop"]).ended(6, "doctor").said(&why);
    let before = bed.fingerprint();
    shop.intendant(&["run", "shop"]).ended(11, "a run").said("nothing was changed: ").said(&why);
    shop.intendant(&["restore", "shop", "--yes"]).ended(11, "a restore").said("nothing was changed: ").said(&why);
    shop.intendant(&["run", "shop", "--identity", "file:other.txt"])
        .ended(11, "a run with another identity")
        .said("none of the identities given is one of theirs");
    shop.intendant(&["run", "shop", "--identity", "file:nowhere.txt"])
        .ended(11, "no file")
        .said("nowhere.txt: No such");
    let named = shop.intendant(&["run", "shop", "--identity", &secret]).ended(3, "the secret itself");
    assert!(!named.err.contains(&secret), "{}", named.err);
    same(&before, &bed.fingerprint(), "refused");
    bed.nothing_is_left("after refusals");

    let settings = |recipient: &str| {
        let text = format!("settings: 1\nidentity: file:key.txt\nrecipients: [{recipient}]\n");
        std::fs::write(shop.path("intendant.yaml"), text).unwrap();
    };
    settings(&stranger);
    shop.intendant(&["run", "shop"]).ended(3, "other recipients").said("find out who changed it");
    settings(&recipient);
    shop.intendant(&["doctor", "shop"]).ended(0, "doctor").said("and can be read here");
    shop.killed_at(&["run", "shop"], "maintenance on", Duration::ZERO);
    std::fs::remove_file(shop.path("intendant.yaml")).unwrap();
    shop.intendant(&["recover"])
        .ended(1, "recover without an identity")
        .said("the run stays open, because its snapshots can't be read")
        .said(&why);
    settings(&recipient);
    shop.intendant(&["recover"]).ended(0, "a run that can undo");
    bed.core_is_whole("7.1.1");
    shop.intendant(&["restore", "shop", "--yes"]).ended(0, "a restore");
    bed.core_is_whole("6.1.9");
    shop.intendant(&["snapshot", "verify"]).ended(0, "every byte").said("all good");
    bed.nothing_is_left("after a run and a restore");

    let mut found = Vec::new();
    holding(&shop.path("."), &secret, &mut found);
    assert_eq!(found.len(), 1, "the secret is in its file and nowhere else: {found:?}");
    let mut found = Vec::new();
    holding(&shop.path("store"), "wp-config", &mut found);
    assert_eq!(found, [""; 0], "names of files in the clear");
}
