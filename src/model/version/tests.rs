//! The orders of versions, against those who define them: a real `php` each time, a real composer/semver and a real
//! `packaging` by hand, and what their own documents list.
#![allow(clippy::unwrap_used)]

use super::*;
use Ordering::{Equal, Greater, Less};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

/// How many pairs are compared.
const PAIRS: usize = 120_000;

fn version(text: &str) -> Version {
    Version::new(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn order(scheme: VersionScheme, a: &str, b: &str) -> Ordering {
    scheme.compare(&version(a), &version(b))
}

/// Numbers that are always the same (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.next(of.len())]
    }

    /// A version: as people write them, of pieces in any order, or of any characters.
    fn version(&mut self) -> String {
        const NUMBERS: [&str; 16] = [
            "0",
            "1",
            "2",
            "3",
            "9",
            "10",
            "11",
            "01",
            "007",
            "2024",
            "20240131",
            "123456",
            "65535",
            "9223372036854775807",
            "9223372036854775808",
            "99999999999999999999999",
        ];
        const WORDS: [&str; 26] = [
            "dev", "alpha", "a", "beta", "b", "RC", "rc", "Rc", "pl", "p", "patch", "x", "stable", "final", "foo", "c",
            "preview", "pre", "post", "rev", "r", "v", "DEV", "Beta", "betamax", "main",
        ];
        const BETWEEN: [&str; 12] = [".", ".", ".", ".", "-", "_", "+", "", "", "~", ":", ".."];
        const ANY: &str = "0123456789.-+_~:!abdehlprstvxRC";
        let mut text = String::new();
        match self.next(10) {
            0..5 => {
                for part in 0..=self.next(4) {
                    text.push_str(if part == 0 { "" } else { "." });
                    text.push_str(self.pick(&NUMBERS[..9]));
                }
                if self.next(2) == 0 {
                    text.push_str(self.pick(&["", "-", ".", "_", "+"]));
                    text.push_str(self.pick(&WORDS));
                    text.push_str(self.pick(&["", "", ".", "-"]));
                    text.push_str(self.pick(&["", "1", "2", "10"]));
                }
                if self.next(12) == 0 {
                    text.insert_str(0, self.pick(&["8.x-", "7.x-", "v", "dev-", "1!"]));
                }
                if self.next(12) == 0 {
                    text.push_str(self.pick(&["-dev", ".x-dev", "+build.5", ".dev1", ".post2"]));
                }
            }
            5..8 => {
                for _ in 0..=self.next(6) {
                    let piece = if self.next(2) == 0 { self.pick(&NUMBERS) } else { self.pick(&WORDS) };
                    text.push_str(piece);
                    text.push_str(self.pick(&BETWEEN));
                }
            }
            _ => text.extend((0..=self.next(12)).map(|_| ANY.as_bytes()[self.next(ANY.len())] as char)),
        }
        text.truncate(64);
        match Version::new(text) {
            Ok(version) => version.as_str().to_owned(),
            Err(_) => self.version(),
        }
    }

    /// Two versions, often with the same beginning.
    fn pair(&mut self) -> (String, String) {
        let (a, b) = (self.version(), self.version());
        if self.next(3) > 0 {
            return (a, b);
        }
        let (cut, rest) = (self.next(a.len() + 1), self.next(b.len() + 1));
        let mixed = format!("{}{}", &a[..cut], &b[rest..]);
        if Version::new(mixed.clone()).is_ok() { (a, mixed) } else { (a, b) }
    }
}

/// Gives pairs to a program, and compares what it says of each, -1, 0 or 1, with what we say. Returns how many.
fn agrees(scheme: VersionScheme, program: &str, arguments: &[&str]) -> usize {
    let mut numbers = Numbers(2026);
    let pairs: Vec<(String, String)> = (0..PAIRS).map(|_| numbers.pair()).collect();
    let text: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let mut answers = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), pairs.len(), "{program} answered something else");
    let differ = |((a, b), answer): (&(String, String), &&str)| {
        let ours = (order(scheme, a, b) as i8).to_string();
        (ours != **answer).then(|| format!("{a} against {b}: {program} says {answer}, we say {ours}"))
    };
    let wrong: Vec<String> = pairs.iter().zip(&answers).filter_map(differ).collect();
    let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} pairs differ:\n{shown}", wrong.len(), pairs.len());
    // They are of all three kinds.
    assert!(["-1", "0", "1"].iter().all(|answer| answers.iter().filter(|one| *one == answer).count() > 100));
    pairs.len()
}

#[test]
fn php_orders_as_a_real_php_does() {
    let code = "while (($line = fgets(STDIN)) !== false) { [$a, $b] = explode(' ', rtrim($line, \"\\n\")); \
                echo version_compare($a, $b), \"\\n\"; }";
    let count = agrees(VersionScheme::Php, "php", &["-n", "-r", code]);
    println!("{count} pairs are ordered as php orders them");
    assert!(count >= 100_000);
}

/// `COMPOSER_SEMVER` is the file that loads it.
#[test]
#[ignore = "needs composer/semver 3.4 or newer, by hand"]
fn composer_orders_as_a_real_composer_does() {
    let code = r"require getenv('COMPOSER_SEMVER') ?: '/usr/share/php/Composer/Semver/autoload.php';
        $parser = new Composer\Semver\VersionParser();
        $read = function ($text) use ($parser) {
            $text = preg_replace('/^\d+\.x-(?=\d)/', '', $text);
            try { return $parser->normalize($text); } catch (\UnexpectedValueException $e) { return $text; }
        };
        while (($line = fgets(STDIN)) !== false) {
            [$a, $b] = explode(' ', rtrim($line, chr(10)));
            echo version_compare($read($a), $read($b)), chr(10);
        }";
    println!("{} pairs", agrees(VersionScheme::Composer, "php", &["-r", code]));
}

#[test]
#[ignore = "needs Python's packaging, which pip has within it"]
fn pep440_orders_as_a_real_packaging_does() {
    let code = r"
import sys
try:
    from packaging.version import Version, InvalidVersion
except ImportError:
    from pip._vendor.packaging.version import Version, InvalidVersion
def read(text):
    try:
        return (1, Version(text))
    except InvalidVersion:
        return (0, text)
for line in sys.stdin:
    a, b = map(read, line.split())
    print((a > b) - (a < b))
";
    println!("{} pairs", agrees(VersionScheme::Pep440, "python3", &["-c", code]));
}

fn compared(scheme: VersionScheme, cases: &[(&str, &str, Ordering)]) {
    for (a, b, expected) in cases {
        assert_eq!(order(scheme, a, b), *expected, "{a} against {b}");
        assert_eq!(order(scheme, b, a), expected.reverse(), "{b} against {a}");
    }
}

/// Each is less than the one after it.
fn ascending(scheme: VersionScheme, versions: &[&str]) {
    for (index, a) in versions.iter().enumerate() {
        for b in &versions[index + 1..] {
            compared(scheme, &[(a, b, Less)]);
        }
    }
}

#[test]
fn orders_as_php_does() {
    let cases = [
        ("6.1.9", "7.1.1", Less),
        ("5.0.2", "5.7.2", Less),
        ("1.0", "1.0.0", Less),
        ("1.0-beta2", "1.0RC1", Less),
        ("1.10", "1.9", Greater),
        ("1.0.0", "1.0.0", Equal),
        // What looks odd, and is so in PHP.
        ("1.0-foo", "1.0-dev", Less),
        ("1.", "1", Less),
        ("1.0pl1", "1.0.1", Greater),
        ("99999999999999999999", "9223372036854775807", Equal),
        ("1~2", "1.2", Less),
    ];
    compared(VersionScheme::Php, &cases);
    ascending(VersionScheme::Php, &["1.0-dev", "1.0alpha", "1.0-beta2", "1.0rc1", "1.0", "1.0pl1"]);
}

#[test]
fn orders_as_composer_does() {
    let cases = [
        ("1.0", "1.0.0.0", Equal),
        ("v1.2.3", "1.2.3", Equal),
        ("1.2.3+build.7", "1.2.3", Equal),
        ("1.0.0-stable", "1.0.0", Equal),
        ("1.0.0b1", "1.0.0-beta.1", Equal),
        ("1.0.0-rc1", "1.0.0-RC1", Equal),
        ("1.0.0-p1", "1.0.0-patch1", Equal),
        // The versions of one module by the site's own information and by Composer.
        ("8.x-1.12", "1.12.0", Equal),
        ("8.x-1.2", "2.0.0", Less),
        ("8.x-3.0-alpha5", "8.x-3.0", Less),
        ("8.x-1.x-dev", "8.x-1.99", Greater),
        ("2010-01-02", "2010:01:02", Equal),
        ("dev-main", "0.0.1", Less),
    ];
    compared(VersionScheme::Composer, &cases);
    let line = [
        "1.0.0-dev",
        "1.0.0-alpha1",
        "1.0.0-alpha2",
        "1.0.0-beta1",
        "1.0.0-RC1",
        "1.0.0",
        "1.0.0-patch1",
        "1.0.1",
        "1.x-dev",
        "2.0.0-alpha1",
        "10.0.0",
    ];
    ascending(VersionScheme::Composer, &line);
}

/// The lists of the specification.
#[test]
fn orders_as_pep_440_says() {
    use VersionScheme::Pep440;
    ascending(Pep440, &["1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456"]);
    ascending(Pep440, &["1.0b2", "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0"]);
    ascending(
        Pep440,
        &["1.0", "1.0+abc.5", "1.0+abc.7", "1.0+5", "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1"],
    );
    ascending(Pep440, &["nonsense", "0.9", "2014.04", "1!0.5"]);
    let same = [
        ("1.0", "1", Equal),
        ("1.0", "v1.0.0", Equal),
        ("1.1RC1", "1.1rc1", Equal),
        ("1.1-a1", "1.1.alpha.1", Equal),
        ("1.1c3", "1.1rc3", Equal),
        ("1.2a", "1.2a0", Equal),
        ("1.2-1", "1.2.post1", Equal),
        ("1.2.rev4", "1.2-post4", Equal),
        ("1.0+ubuntu-1", "1.0+ubuntu.1", Equal),
        ("00900.01", "900.1", Equal),
        ("99999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999998", Greater),
    ];
    compared(Pep440, &same);
}

/// The lists of the specification, and what people leave out.
#[test]
fn orders_as_semantic_versioning_says() {
    use VersionScheme::Semver;
    ascending(Semver, &["1.0.0", "2.0.0", "2.1.0", "2.1.1", "2.1.10", "10.0.0"]);
    let before = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"];
    ascending(Semver, &[&before[..], &["1.0.0-rc.1", "1.0.0"]].concat());
    ascending(Semver, &["1.2.3.4", "nonsense", "0.0.0-0", "0.0.1"]);
    let cases = [
        ("v1.2", "1.2.0", Equal),
        ("1", "1.0.0", Equal),
        ("1.0.0+build.7", "1.0.0+build.8", Equal),
        ("1.0.0-rc.1+x", "1.0.0-rc.1", Equal),
        ("1.0-1", "1.0.0", Less),
        ("5.130.6", "5.9.0", Greater),
        ("6.0.0-alpha.9", "6.0.0-alpha.10", Less),
    ];
    compared(Semver, &cases);
}

#[test]
fn steps_follow_the_train() {
    let step = |scheme: VersionScheme, a: &str, b: &str, parts| scheme.step(&version(a), &version(b), parts);
    let php = VersionScheme::Php;
    assert_eq!(step(php, "6.1.9", "6.1.10", 2), Step::Minor);
    assert_eq!(step(php, "6.1.9", "6.2", 2), Step::Major);
    assert_eq!(step(php, "5.0.2", "5.7.2", 1), Step::Minor);
    assert_eq!(step(php, "5.0.2", "5.0.2", 1), Step::None);
    assert_eq!(step(php, "v1.9", "v1.10", 1), Step::Minor);
    assert_eq!(step(php, "v1.9", "v2.0", 1), Step::Major);
    let composer = VersionScheme::Composer;
    assert_eq!(step(composer, "8.x-1.4", "8.x-1.5", 1), Step::Minor);
    assert_eq!(step(composer, "8.x-1.4", "2.0.0", 1), Step::Major);
    assert_eq!(step(composer, "10.2", "10.3.1", 2), Step::Major);
    let pep440 = VersionScheme::Pep440;
    assert_eq!(step(pep440, "6.3", "6.3.1", 2), Step::Minor);
    assert_eq!(step(pep440, "v6.3.0rc1", "6.3", 2), Step::Minor);
    assert_eq!(step(pep440, "6.3", "7.0", 1), Step::Major);
    assert_eq!(step(pep440, "6.3", "1!6.3", 1), Step::Major);
    let semver = VersionScheme::Semver;
    assert_eq!(step(semver, "5.115.0", "v5.130.6", 1), Step::Minor);
    assert_eq!(step(semver, "5.130.6", "6.0.0-rc.1", 1), Step::Major);
    assert_eq!(step(semver, "5.130", "5.130.0+build", 1), Step::None);
}

#[test]
fn hostile_versions_are_refused() {
    for bad in ["", "1; rm", "<b>", "-x", "1\n2", &"9".repeat(65)] {
        assert!(Version::new(bad).is_err(), "{bad:?} was taken");
    }
}

#[test]
fn what_comes_before_a_release_is_special_and_letters_of_releases_are_not() {
    use VersionScheme::*;
    for (scheme, version, special) in [
        (Php, "2.0-beta3", true),
        (Php, "2.0RC1", true),
        (Php, "2.0-dev", true),
        (Php, "2.0", false),
        (Php, "1.2b", false),
        (Php, "3.1-pl2", false),
        (Composer, "8.x-1.0-rc2", true),
        (Composer, "8.x-1.2", false),
        (Composer, "1.2b1", true),
        (Composer, "dev-main", true),
        (Pep440, "7.0rc1", true),
        (Pep440, "7.0a1", true),
        (Pep440, "7.0.dev3", true),
        (Pep440, "7.0.post1", false),
        (Pep440, "7.0", false),
        (Semver, "6.0.0-rc.1", true),
        (Semver, "6.0.0-0", true),
        (Semver, "6.0.0+rc.1", false),
        (Semver, "6.0.0", false),
    ] {
        assert_eq!(scheme.is_special(&Version::new(version).unwrap()), special, "{scheme:?} {version}");
    }
}
