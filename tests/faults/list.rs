//! The faults: what strikes, when, and what ends it.

use crate::support::{Environment, Testbed};
use std::process::Command;
use std::time::Duration;

/// Something that is done to a site's host, or to the runner.
type Deed = fn(&Testbed, &Environment);

pub(crate) struct Fault {
    /// What goes wrong, in the words of the page.
    pub(crate) name: &'static str,
    /// When it strikes: so long after this line of the program.
    pub(crate) sign: &'static str,
    pub(crate) after: u64,
    pub(crate) strike: Deed,
    /// What passes by itself, and after how many seconds.
    pub(crate) passes: Option<(u64, Deed)>,
    /// What a person does when the run is stuck or open.
    pub(crate) mend: Deed,
    /// What is there before the run.
    pub(crate) before: Deed,
    /// Options of the site besides the usual ones.
    pub(crate) options: &'static [&'static str],
    /// Strikes a restore that a person asks for, not an update.
    pub(crate) restore: bool,
    /// Updates have half a minute each.
    pub(crate) impatient: bool,
}

fn nothing(_: &Testbed, _: &Environment) {}

const USUAL: Fault = Fault {
    name: "",
    sign: "update core",
    after: 1500,
    strike: nothing,
    passes: None,
    mend: nothing,
    before: nothing,
    options: &[],
    restore: false,
    impatient: false,
};

/// Runs a constant script as root on the site's host; `$1` is the folder of the instance.
fn on_host(bed: &Testbed, script: &str) {
    bed.root(&["sh", "-c", script, "sh", &bed.dir]);
}

const SESSIONS: &str = "p=$(pgrep -f '^sshd: site') || exit 0; kill -SIGNAL $p 2>/dev/null; exit 0";
const LISTENER: &str = "p=$(pgrep -f '^sshd: /usr/sbin/sshd') || exit 0; kill -SIGNAL $p 2>/dev/null; exit 0";

fn sessions(bed: &Testbed, signal: &str) {
    on_host(bed, &SESSIONS.replace("SIGNAL", signal));
}

fn listener(bed: &Testbed, signal: &str) {
    on_host(bed, &LISTENER.replace("SIGNAL", signal));
}

fn no_more_sessions(bed: &Testbed, _: &Environment) {
    listener(bed, "STOP");
    sessions(bed, "KILL");
}

fn sessions_again(bed: &Testbed, _: &Environment) {
    listener(bed, "CONT");
}

fn kill_database(bed: &Testbed, _: &Environment) {
    on_host(bed, "kill -KILL $(pgrep -x mariadbd)");
}

fn start_database(bed: &Testbed, _: &Environment) {
    on_host(
        bed,
        r#"pgrep -x mariadbd >/dev/null && exit 0; cd "$1"; setsid mariadbd --defaults-file="$1/conf/mariadb.cnf" </dev/null >/dev/null 2>&1 &
        for i in $(seq 100); do mariadb --defaults-file=/dev/null --socket="$1/run/db.sock" -u root -e 'SELECT 1' >/dev/null 2>&1 && exit 0; sleep 0.2; done; exit 1"#,
    );
}

fn read_only(bed: &Testbed, _: &Environment) {
    bed.sql("SET GLOBAL read_only = 1");
}

fn writable(bed: &Testbed, _: &Environment) {
    bed.sql("SET GLOBAL read_only = 0");
}

/// The account of the site's database, as the server names it.
fn account(bed: &Testbed) -> String {
    bed.sql("SELECT Grantee FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE() LIMIT 1")
}

fn no_connections(bed: &Testbed, _: &Environment) {
    bed.sql(&format!("ALTER USER {} WITH MAX_QUERIES_PER_HOUR 1 MAX_CONNECTIONS_PER_HOUR 1", account(bed)));
}

fn connections(bed: &Testbed, _: &Environment) {
    bed.sql(&format!(
        "ALTER USER {} WITH MAX_QUERIES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0; FLUSH USER_RESOURCES",
        account(bed)
    ));
}

fn fill_host(bed: &Testbed, _: &Environment) {
    on_host(bed, r#"head -c 900000000 /dev/zero >"$1/home/site/www/wp-content/filler" 2>/dev/null; exit 0"#);
}

/// A small disk for the store of the runner.
fn small_store(_: &Testbed, shop: &Environment) {
    let store = shop.path("store");
    std::fs::create_dir_all(&store).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=150m", "faults"]).arg(&store).status();
    assert!(mounted.unwrap().success(), "a small disk for the store");
}

fn fill_store(_: &Testbed, shop: &Environment) {
    let filler = std::fs::File::create(shop.path("store/filler")).unwrap();
    let _ = std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 1 << 30), &mut &filler);
}

fn empty_store(_: &Testbed, shop: &Environment) {
    let _ = std::fs::remove_file(shop.path("store/filler"));
}

/// Code that WordPress loads before all else.
fn code(bed: &Testbed, php: &str) {
    let script = "mkdir -p wp-content/mu-plugins; printf '<?php %s' \"$1\" >wp-content/mu-plugins/00-fault.php";
    bed.exec(&["sh", "-c", script, "sh", php]);
}

/// The shipped playbook with half a minute for each update.
pub(crate) fn impatient_playbooks(shop: &Environment) -> String {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/wordpress");
    let own = shop.path("playbooks/wordpress");
    std::fs::create_dir_all(&own).unwrap();
    let files = std::fs::read_dir(shipped).unwrap().flatten().filter(|entry| entry.path().is_file());
    for file in files {
        let text = std::fs::read_to_string(file.path()).unwrap();
        std::fs::write(own.join(file.file_name()), text.replace("timeout: 15m", "timeout: 30s")).unwrap();
    }
    shop.path("playbooks").display().to_string()
}

fn reboot(bed: &Testbed, _: &Environment) {
    on_host(
        bed,
        "kill -KILL $(pgrep -u site) $(pgrep -f '^sshd: ') $(pgrep -x sshd) $(pgrep -x nginx) $(pgrep php-fpm) $(pgrep -x mariadbd) 2>/dev/null; exit 0",
    );
}

fn boot(bed: &Testbed, shop: &Environment) {
    start_database(bed, shop);
    on_host(
        bed,
        r#"pgrep -x nginx >/dev/null && exit 0; cd "$1"; fpm=$(ls /usr/sbin/php-fpm* | head -n 1); rm -f "$1/run/site.sock"
        setsid "$fpm" -F -y "$1/conf/php-fpm.conf" </dev/null >/dev/null 2>&1 &
        setsid nginx -c "$1/conf/nginx.conf" -e "$1/log/nginx-error.log" </dev/null >/dev/null 2>&1 &
        setsid /usr/sbin/sshd -D -f "$1/conf/sshd_config" -E "$1/log/sshd.log" </dev/null >/dev/null 2>&1 &
        sleep 1; exit 0"#,
    );
}

fn nginx(bed: &Testbed, signal: &str) {
    on_host(bed, &format!("kill -{signal} $(pgrep -x nginx)"));
}

/// Whatever the account runs over SSH sees the host's clock so far off, such as `+1d`. A stand-in for a host whose clock is wrong:
/// the files that are written meanwhile have the true time.
fn clock(bed: &Testbed, off: &str) {
    let script = r#"set -e; library=$(dpkg -L libfaketime | grep '/libfaketime\.so\.1$'); [ -e "$library" ]
        printf '%s\n' "$2" >/tmp/clock
        grep -q faketime "$1/conf/sshd_config" && exit 0
        echo "SetEnv LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=/tmp/clock FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1" >>"$1/conf/sshd_config"
        kill -HUP $(pgrep -f '^sshd: /usr/sbin/sshd'); sleep 1"#;
    bed.root(&["sh", "-c", script, "sh", &bed.dir, off]);
}

/// Removes what the wrong clocks of processes that were killed left in the machine's shared memory.
pub(crate) fn forget_clocks() {
    let left = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let is_clock = |name: &str| name.starts_with("sem.faketime_") || name.starts_with("faketime_");
    for file in left.filter(|file| is_clock(&file.file_name().to_string_lossy())) {
        let _ = std::fs::remove_file(file.path());
    }
}

pub(crate) const CUT_IN_A_STEP: Fault = Fault {
    name: "the SSH connection is cut in the middle of an update",
    strike: |bed, _| sessions(bed, "KILL"),
    ..USUAL
};

pub(crate) const FAULTS: [Fault; 24] = [
    CUT_IN_A_STEP,
    Fault {
        name: "the SSH connection is cut in the stream of a snapshot",
        sign: "snapshot before",
        after: 400,
        strike: |bed, _| sessions(bed, "KILL"),
        ..USUAL
    },
    Fault {
        name: "the SSH connection is cut in the stream of a restore",
        sign: "restoring",
        after: 2500,
        strike: |bed, _| sessions(bed, "KILL"),
        restore: true,
        ..USUAL
    },
    Fault {
        name: "the SSH connection freezes: no packet comes any more",
        strike: |bed, _| sessions(bed, "STOP"),
        mend: |bed, _| sessions(bed, "KILL"),
        ..USUAL
    },
    Fault {
        name: "the SSH connection is slow: it stands still for four fifths of half a minute",
        sign: "snapshot before",
        after: 0,
        strike: |bed, _| {
            on_host(
                bed,
                "i=0; while [ $i -lt 120 ]; do i=$((i + 1)); p=$(pgrep -f '^sshd: site') || { sleep 0.2; continue; }
                kill -STOP $p; sleep 0.2; kill -CONT $p; sleep 0.05; done 2>/dev/null; exit 0",
            );
        },
        ..USUAL
    },
    Fault {
        name: "sshd takes no new sessions for 15 seconds, and the open one is gone",
        strike: no_more_sessions,
        passes: Some((15, sessions_again)),
        ..USUAL
    },
    Fault {
        name: "sshd takes no new sessions until somebody mends it",
        strike: no_more_sessions,
        mend: sessions_again,
        ..USUAL
    },
    Fault {
        name: "MariaDB is killed, and is back after 8 seconds",
        strike: kill_database,
        passes: Some((8, start_database)),
        mend: start_database,
        ..USUAL
    },
    Fault {
        name: "MariaDB is killed, and stays away until somebody starts it",
        strike: kill_database,
        mend: start_database,
        ..USUAL
    },
    Fault {
        name: "MariaDB is read-only for 30 seconds",
        strike: read_only,
        passes: Some((30, writable)),
        mend: writable,
        ..USUAL
    },
    Fault {
        name: "MariaDB gives the site no more connections for 20 seconds",
        strike: no_connections,
        passes: Some((20, connections)),
        mend: connections,
        ..USUAL
    },
    Fault {
        name: "the disk of the host is full",
        strike: fill_host,
        mend: |bed, _| on_host(bed, r#"rm -f "$1/home/site/www/wp-content/filler""#),
        options: &["--docroot-size", "320m"],
        ..USUAL
    },
    Fault {
        name: "the disk of the runner's store is full until somebody makes room",
        strike: fill_store,
        mend: empty_store,
        before: small_store,
        ..USUAL
    },
    Fault {
        name: "PHP ends with a fatal error in all that loads WordPress",
        strike: |bed, _| code(bed, "no_such_function();"),
        ..USUAL
    },
    Fault {
        name: "PHP comes to its memory limit",
        strike: |bed, _| {
            code(
                bed,
                "ini_set( \"memory_limit\", \"16M\" ); $a = array(); while ( true ) { $a[] = str_repeat( \"x\", 100000 ); }",
            )
        },
        ..USUAL
    },
    Fault {
        name: "PHP comes to its time limit",
        strike: |bed, _| code(bed, "set_time_limit( 2 ); while ( true ) { $i = 1; }"),
        ..USUAL
    },
    Fault {
        name: "the web server answers nobody for 60 seconds",
        strike: |bed, _| nginx(bed, "STOP"),
        passes: Some((60, |bed, _| nginx(bed, "CONT"))),
        mend: |bed, _| nginx(bed, "CONT"),
        ..USUAL
    },
    Fault {
        name: "each page takes 40 seconds",
        strike: |bed, _| code(bed, "if ( PHP_SAPI !== \"cli\" ) { sleep( 40 ); }"),
        ..USUAL
    },
    Fault {
        name: "an update hangs; its limit is half a minute here",
        sign: "prepare",
        after: 0,
        strike: |bed, _| {
            code(
                bed,
                "if ( preg_match( \"/core update --version/\", implode( \" \", $_SERVER[\"argv\"] ?? array() ) ) ) { while ( true ) { sleep( 1000 ); } }",
            );
        },
        impatient: true,
        ..USUAL
    },
    Fault {
        name: "the host reboots: all its processes are killed, and start again after 10 seconds",
        strike: reboot,
        passes: Some((10, boot)),
        mend: boot,
        ..USUAL
    },
    Fault {
        name: "the clock of the host is three years slow, so that no certificate is valid yet",
        sign: "looking at the site",
        after: 0,
        before: |bed, _| clock(bed, "-1095d"),
        ..USUAL
    },
    Fault { name: "the clock of the host is ten days fast", before: |bed, _| clock(bed, "+10d"), ..USUAL },
    Fault {
        name: "the clock of the host goes two days forward in the middle of an update",
        before: |bed, _| clock(bed, "+0"),
        strike: |bed, _| clock(bed, "+2d"),
        ..USUAL
    },
    Fault {
        name: "the clock of the host goes an hour back in the middle of an update",
        before: |bed, _| clock(bed, "+0"),
        strike: |bed, _| clock(bed, "-1h"),
        ..USUAL
    },
];

/// How long a fault that passes by itself lasts.
pub(crate) fn lasting(fault: &Fault) -> Option<(Duration, Deed)> {
    fault.passes.map(|(seconds, deed)| (Duration::from_secs(seconds), deed))
}
